"""REST: the other face of the desk. What it answers is the contract in the README."""

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime

from services.call import Call, CallStatus
from services.desk import CallDesk
from services.errors import EarshotError, FieldError, NotConfigured, RequestError
from services.listening.relay import Relay
from services.web.answers import CallAnswer, CallsAnswer, call_answer
from services.web.json_body import JsonBody
from services.web.listen_socket import listen_router
from services.web.problems import install_problems, problem_of
from services.web.requests import CallRequest
from services.web.tickets import Tickets

_UNKNOWN = "Vapi's answer was lost, so it is not known whether this call was placed. Earshot is looking for it; do not dial again yet."
_SCHEDULED = "Vapi will place this call at the time that was asked for."


def create_api(*, desk: CallDesk, relay: Relay, tickets: Tickets, mode: str, version: str, listen_mode: str = "relay") -> FastAPI:
    """The FastAPI app with every route that is not a page."""
    api = FastAPI(title="Earshot", version=version, docs_url=None, redoc_url=None)
    install_problems(api)
    api.add_middleware(JsonBody)
    routes = Routes(desk=desk, tickets=tickets, mode=mode, version=version, listen_mode=listen_mode)
    api.include_router(routes.router())
    api.include_router(listen_router(relay=relay, tickets=tickets, find=desk.get))
    return api


class Routes:
    """The REST routes over one desk."""

    def __init__(self, *, desk: CallDesk, tickets: Tickets, mode: str, version: str, listen_mode: str) -> None:
        self._desk = desk
        self._tickets = tickets
        self._mode = mode
        self._version = version
        self._direct = listen_mode == "direct"

    def router(self) -> APIRouter:
        """The routes, with what they answer for OpenAPI."""
        router = APIRouter()
        problems: dict[int | str, dict[str, Any]] = {
            "4XX": {"description": "The request can't be done, and why (RFC 9457)", "content": {"application/problem+json": {}}},
            "5XX": {"description": "Vapi or Earshot can't do it now, and why (RFC 9457)", "content": {"application/problem+json": {}}},
        }
        one: dict[int | str, dict[str, Any]] = {200: {"model": CallAnswer}, **problems}
        placed: dict[int | str, dict[str, Any]] = {
            201: {"model": CallAnswer, "description": "Vapi accepted the call"},
            202: {"model": CallAnswer, "description": "Scheduled, or not known yet whether it was placed"},
            200: {"description": "`dryRun`: all checks passed, no call was placed"},
            **problems,
        }
        router.add_api_route("/api/vapi_call", self.place, methods=["POST"], status_code=201, responses=placed, summary="Place a call")
        router.add_api_route(
            "/api/calls", self.calls, responses={200: {"model": CallsAnswer}, **problems}, summary="Running and past calls"
        )
        router.add_api_route("/api/calls/{call_id}", self.call, responses=one, summary="One call")
        router.add_api_route("/api/calls/{call_id}/end", self.end, methods=["POST"], responses=one, summary="Hang up")
        router.add_api_route("/health", self.health, responses=problems, summary="Whether calls can be placed")
        return router

    async def place(self, request: Request, wanted: CallRequest) -> JSONResponse:
        """Places one call. 202 means: accepted for later, or the outcome is unknown and must not be dialled again yet."""
        order = self._desk.order(wanted.destination, **wanted.wishes())
        if wanted.dryRun:
            return JSONResponse({"dryRun": True, "to": order.to, "assistantId": order.assistant_id, "phoneNumberId": order.phone_number_id})
        call = await self._desk.place(order)
        detail = {CallStatus.UNKNOWN: _UNKNOWN, CallStatus.SCHEDULED: _SCHEDULED}.get(call.status)
        body = await self._answer(request, call, detail=detail)
        return JSONResponse(body, 202 if detail else 201, headers={"Location": f"/api/calls/{call.id}"})

    async def calls(
        self,
        request: Request,
        status: Annotated[list[str] | None, Query(description="Only calls in these states; repeat it or separate by commas")] = None,
        from_: Annotated[AwareDatetime | None, Query(alias="from", description="Only calls created at this time or later")] = None,
        to: Annotated[AwareDatetime | None, Query(description="Only calls created before this time")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Query(max_length=200, description="`nextCursor` of the page before")] = None,
    ) -> JSONResponse:
        """Running and past calls, newest first."""
        await self._desk.caught_up()
        wanted = _statuses(status)
        before = _read_cursor(cursor)
        found = [
            call
            for call in self._desk.calls()
            if (not wanted or call.status in wanted)
            and (from_ is None or _created(call) >= from_)
            and (to is None or _created(call) < to)
            and (before is None or (_created(call), call.id) < before)
        ]
        page = found[:limit]
        answers = [await self._answer(request, call) for call in page]
        return JSONResponse({"calls": answers, "nextCursor": _cursor(page[-1]) if len(found) > limit else None})

    async def call(self, request: Request, call_id: str) -> JSONResponse:
        """One call as last read."""
        call = await self._desk.read(call_id)
        return JSONResponse(await self._answer(request, call, detail=_UNKNOWN if call.status is CallStatus.UNKNOWN else None))

    async def end(self, request: Request, call_id: str) -> JSONResponse:
        """Hangs up and answers once Vapi confirms it; a call that has ended already is answered as it is."""
        return JSONResponse(await self._answer(request, await self._desk.end(call_id)))

    async def health(self) -> JSONResponse:
        """200 once calls can be placed, 503 with what is missing otherwise."""
        facts = {"mode": self._mode, "version": self._version}
        if not self._desk.missing:
            return JSONResponse({"status": "ok", **facts})
        error = NotConfigured(f"Set {' and '.join(self._desk.missing)}, in the environment or in .env, and start again.")
        return problem_of(error, missing=list(self._desk.missing), **facts)

    async def _answer(self, request: Request, call: Call, *, detail: str | None = None) -> dict[str, Any]:
        return call_answer(self._desk, call, listen_url=await self._listen_url(request, call), detail=detail)

    async def _listen_url(self, request: Request, call: Call) -> str | None:
        if not call.running or call.status is CallStatus.UNKNOWN:
            return None
        if self._direct:
            try:
                return (await self._desk.listen_target(call.id)).url
            except EarshotError:
                # Vapi may hand the URL out later; asking for the call again then gets it.
                return None
        scheme = "wss" if request.url.scheme == "https" else "ws"
        return f"{scheme}://{request.headers['host']}/api/calls/{call.id}/listen?ticket={self._tickets.issue(call.id)}"


def _statuses(given: Sequence[str] | None) -> set[CallStatus]:
    words = [word.strip() for item in given or () for word in item.split(",") if word.strip()]
    try:
        return {CallStatus(word) for word in words}
    except ValueError as error:
        known = ", ".join(CallStatus)
        raise RequestError(f"status takes: {known}.", errors=[FieldError("status", f"One of: {known}.")]) from error


def _created(call: Call) -> datetime:
    return call.created_at or datetime.min.replace(tzinfo=UTC)


def _cursor(call: Call) -> str:
    return base64.urlsafe_b64encode(f"{_created(call).isoformat()} {call.id}".encode()).decode().rstrip("=")


def _read_cursor(text: str | None) -> tuple[datetime, str] | None:
    if text is None:
        return None
    try:
        created, call_id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().split(" ", 1)
        time = datetime.fromisoformat(created)
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise RequestError(
            "cursor is not one that a page of calls gave.", errors=[FieldError("cursor", "Take it from `nextCursor`.")]
        ) from error
    return time.replace(tzinfo=time.tzinfo or UTC), call_id
