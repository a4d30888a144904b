"""REST: the other face of the desk. What it answers is the contract in the README."""

from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse

from services.desk.desk import CallDesk
from services.dialling.switch import Switch
from services.domain.call import Call, CallStatus
from services.domain.client import Client, Scope
from services.domain.errors import EarshotError, NotConfigured
from services.listening.relay import Relay
from services.settings import Settings
from services.support.signals import Signal
from services.web.access.tickets import Tickets
from services.web.access.who import client_of, may_listen
from services.web.answers import DETAILS, CallDetails, CallsDetails, call_details
from services.web.idempotency import read_key
from services.web.json_body import JsonBody
from services.web.problems import PROBLEMS, install_problems, problem_of
from services.web.rate_limits import hour_and_day, rate_limit_headers
from services.web.requests import CallRequest, ControlRequest
from services.web.routes.call_filters import CURSOR, CallFilters, call_filters, cursor_of, read_cursor
from services.web.routes.docs_page import install_docs
from services.web.routes.event_stream import events_router
from services.web.routes.events import CallEvents, Transcript
from services.web.routes.export import export_router
from services.web.routes.listen_socket import listen_router
from services.web.routes.switch import switch_router
from services.web.routes.transcripts import line_answer, transcript_router
from services.web.routes.webhook import MAX_BODY as MAX_WEBHOOK
from services.web.routes.webhook import ROUTE as WEBHOOK
from services.web.routes.webhook import webhook_router


def create_api(*, desk: CallDesk, relay: Relay, tickets: Tickets, switch: Switch, settings: Settings, version: str) -> FastAPI:
    """The FastAPI app with every route that is not a page."""
    api = FastAPI(title="Earshot", version=version, docs_url=None, redoc_url=None)
    install_problems(api)
    api.add_middleware(JsonBody, larger={WEBHOOK: MAX_WEBHOOK})
    routes = Routes(desk=desk, tickets=tickets, mode=settings.mode, version=version, listen_mode=settings.listen_mode)
    events = CallEvents(desk, _lines_told(desk))
    api.state.events = events
    # Before the routes of one call, whose ids would take `end-all` in.
    api.include_router(switch_router(switch=switch, desk=desk))
    api.include_router(export_router(desk))
    api.include_router(routes.router())
    api.include_router(transcript_router(desk))
    api.include_router(webhook_router(desk=desk, secret=settings.webhook_secret))
    api.include_router(
        events_router(
            desk=desk,
            events=events,
            answer=lambda call: call_details(desk, call, listen_url=None),
            attend=partial(_attend, relay),
        )
    )
    api.include_router(listen_router(relay=relay, tickets=tickets, find=desk.get, heard=partial(_note_listening, desk)))
    install_docs(api)
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
        one: dict[int | str, dict[str, Any]] = {200: {"model": CallDetails}, **PROBLEMS}
        placed: dict[int | str, dict[str, Any]] = {
            201: {"model": CallDetails, "description": "Vapi accepted the call"},
            202: {"model": CallDetails, "description": "Scheduled, or not known yet whether it was placed"},
            200: {"description": "`dryRun`: all checks passed, no call was placed"},
            **PROBLEMS,
        }
        router.add_api_route("/api/vapi_call", self.place, methods=["POST"], status_code=201, responses=placed, summary="Place a call")
        router.add_api_route(
            "/api/calls", self.calls, responses={200: {"model": CallsDetails}, **PROBLEMS}, summary="Running and past calls"
        )
        router.add_api_route("/api/calls/{call_id}", self.call, responses=one, summary="One call")
        router.add_api_route("/api/calls/{call_id}/end", self.end, methods=["POST"], responses=one, summary="Hang up")
        told: dict[int | str, dict[str, Any]] = {202: {"model": CallDetails, "description": "Vapi took it"}, **PROBLEMS}
        router.add_api_route(
            "/api/calls/{call_id}/control", self.control, methods=["POST"], status_code=202, responses=told, summary="Steer a running call"
        )
        router.add_api_route("/health", self.health, responses=PROBLEMS, summary="Whether calls can be placed")
        return router

    async def place(self, request: Request, wanted: CallRequest) -> JSONResponse:
        """Places one call. 202 means: accepted for later, or the outcome is unknown and must not be dialled again yet."""
        try:
            answer = await self._place(request, wanted)
        except EarshotError as error:
            answer = problem_of(error)
        quotas = hour_and_day(per_hour=self._desk.limits.per_hour, per_day=self._desk.limits.per_day)
        answer.headers.update(rate_limit_headers(quotas, self._desk.dialled(), datetime.now(UTC)))
        return answer

    async def _place(self, request: Request, wanted: CallRequest) -> JSONResponse:
        client = client_of(request, Scope.CALL)
        key = read_key(request, wanted)
        order = self._desk.order(wanted.destination, **wanted.wishes())
        if wanted.dryRun:
            await self._desk.weigh(order, client)
            return JSONResponse({"dryRun": True, "to": order.to, "assistantId": order.assistant_id, "phoneNumberId": order.phone_number_id})
        placed = await self._desk.place(order, client, key=key, allow_duplicate=wanted.allowDuplicate)
        detail = DETAILS.get(placed.call.status)
        # The call as it was placed, but a listen URL only if it still runs.
        listen_url = await self._listen_url(request, self._desk.get(placed.call.id))
        answer = call_details(self._desk, placed.call, listen_url=listen_url, detail=detail)
        headers = {"Location": answer["links"]["self"]} | ({"Idempotency-Replayed": "true"} if placed.replayed else {})
        return JSONResponse(answer, 202 if detail else 201, headers=headers)

    async def calls(
        self,
        request: Request,
        filters: Annotated[CallFilters, Depends(call_filters)],
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Query(pattern=CURSOR, description="`nextCursor` of the page before")] = None,
    ) -> JSONResponse:
        """Running and past calls, newest first."""
        client_of(request, Scope.READ)
        found = await self._desk.page_of_calls(**filters.wishes(), before=read_cursor(cursor), limit=limit + 1)
        page = found[:limit]
        answers = [await self._answer(request, call) for call in page]
        return JSONResponse({"calls": answers, "nextCursor": cursor_of(page[-1]) if len(found) > limit else None})

    async def call(self, request: Request, call_id: str) -> JSONResponse:
        """One call as last read."""
        client_of(request, Scope.READ)
        call = await self._desk.read(call_id)
        return JSONResponse(await self._answer(request, call, detail=DETAILS.get(call.status)))

    async def end(self, request: Request, call_id: str) -> JSONResponse:
        """Hangs up and answers once Vapi confirms it; a call that has ended already is answered as it is."""
        return JSONResponse(await self._answer(request, await self._desk.end(call_id, client_of(request, Scope.CONTROL))))

    async def control(self, request: Request, call_id: str, wanted: ControlRequest) -> JSONResponse:
        """Has the assistant say something, be told something, be muted, or hand the call over."""
        call = await self._desk.control(call_id, wanted.control(), client_of(request, Scope.CONTROL))
        return JSONResponse(await self._answer(request, call), 202)

    async def health(self) -> JSONResponse:
        """200 once calls can be placed, 503 with what is missing otherwise. That dialling is stopped is somebody's will, and no fault."""
        facts = {"mode": self._mode, "version": self._version}
        if self._desk.missing:
            missing = NotConfigured(f"Set {' and '.join(self._desk.missing)}, in the environment or in .env, and start again.")
            return problem_of(missing, missing=list(self._desk.missing), **facts)
        try:
            await self._desk.journal.ready()
        except EarshotError as error:
            return problem_of(error, **facts)
        return JSONResponse({"status": "ok", **facts})

    async def _answer(self, request: Request, call: Call, *, detail: str | None = None) -> dict[str, Any]:
        return call_details(self._desk, call, listen_url=await self._listen_url(request, call), detail=detail)

    async def _listen_url(self, request: Request, call: Call | None) -> str | None:
        if call is None or not call.running or call.status is CallStatus.UNKNOWN or not may_listen(request):
            return None
        if self._direct:
            try:
                return (await self._desk.listen_target(call.id)).url
            except EarshotError:
                # Vapi may hand the URL out later; asking for the call again then gets it.
                return None
        scheme = "wss" if request.url.scheme == "https" else "ws"
        ticket = self._tickets.issue(call.id, client_of(request, Scope.LISTEN).name)
        return f"{scheme}://{request.headers['host']}/api/calls/{call.id}/listen?ticket={ticket}"


def _attend(relay: Relay, call_id: str) -> AbstractContextManager[object]:
    try:
        return relay.listen(call_id, sound=False, events=False)
    except EarshotError:
        return nullcontext()  # it is over, or not one of the desk's: there is nothing to hear


def _note_listening(desk: CallDesk, who: str, call_id: str) -> None:
    if call := desk.get(call_id):
        desk.note(Client(name=who), "listen", call)


def _lines_told(desk: CallDesk) -> Signal[Transcript]:
    """The lines of all transcripts, as events for those who follow a call."""
    told: Signal[Transcript] = Signal()
    desk.transcripts.changed.subscribe(lambda said: told.emit(Transcript(call_id=said[0], body=line_answer(said[1]))))
    return told
