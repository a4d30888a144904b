"""The routes of calls: place, list, read, hang up, control."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from services.desk.desk import CallDesk
from services.desk.placing.placing import Placed
from services.domain.call import Call, CallStatus
from services.domain.client import Client, Scope
from services.domain.errors import EarshotError, Forbidden
from services.support.root_path import address
from services.web.access.current_client import client_of, may
from services.web.access.tickets import Tickets
from services.web.answers import DETAILS, CallDetails, CallReference, CallsDetails, call_details
from services.web.call_filters import CURSOR, CallFilters, call_filters, cursor_of, read_cursor
from services.web.idempotency import read_key
from services.web.problems import PROBLEMS, problem_of
from services.web.rate_limits import hour_and_day, rate_limit_headers
from services.web.requests import CallRequest, ControlRequest, RescheduleRequest


def calls_router(*, desk: CallDesk, tickets: Tickets, direct: bool) -> APIRouter:
    """`POST /api/vapi_call`, `GET /api/calls`, and `GET`, `/end`, `/free-slot` and `/control` of one call. With `direct`, listen URLs
    are Vapi's own.
    """
    return _CallRoutes(desk, tickets, direct=direct).router()


class _CallRoutes:
    def __init__(self, desk: CallDesk, tickets: Tickets, *, direct: bool) -> None:
        self._desk = desk
        self._tickets = tickets
        self._direct = direct

    def router(self) -> APIRouter:
        """The routes, with what they answer for OpenAPI."""
        router = APIRouter()
        one: dict[int | str, dict[str, Any]] = {200: {"model": CallDetails}, **PROBLEMS}
        done = {"model": CallDetails | CallReference, "description": "The call; only its id without the scope `read`"}
        placed: dict[int | str, dict[str, Any]] = {
            201: {"model": CallDetails, "description": "Vapi accepted the call"},
            202: {"model": CallDetails, "description": "Scheduled, or the outcome is not known yet"},
            200: {"description": "`dryRun`: all checks passed, no call was placed"},
            **PROBLEMS,
        }
        router.add_api_route("/api/vapi_call", self.place, methods=["POST"], status_code=201, responses=placed, summary="Place a call")
        router.add_api_route(
            "/api/calls", self.calls, responses={200: {"model": CallsDetails}, **PROBLEMS}, summary="Running and past calls"
        )
        router.add_api_route("/api/calls/{call_id}", self.call, responses=one, summary="One call")
        router.add_api_route("/api/calls/{call_id}/end", self.end, methods=["POST"], responses={200: done, **PROBLEMS}, summary="Hang up")
        path = "/api/calls/{call_id}/reschedule"
        moved: dict[int | str, dict[str, Any]] = {
            202: {"model": CallDetails | CallReference, "description": "The call in its place; only its id without the scope `read`"},
            **PROBLEMS,
        }
        router.add_api_route(
            path, self.reschedule, methods=["POST"], status_code=202, responses=moved, summary="Move a scheduled call to another time"
        )
        deleted: dict[int | str, dict[str, Any]] = {
            200: done,
            202: {"model": CallDetails | CallReference, "description": "Deleted here; Vapi has not confirmed yet"},
        }
        path = "/api/calls/{call_id}/data"
        router.add_api_route(
            path, self.delete_data, methods=["DELETE"], responses={**deleted, **PROBLEMS}, summary="Delete a call's data, here and at Vapi"
        )
        path = "/api/calls/{call_id}/free-slot"
        router.add_api_route(path, self.free_slot, methods=["POST"], responses={200: done, **PROBLEMS}, summary="Free a call's slot")
        router.add_api_route(
            "/api/calls/{call_id}/control",
            self.control,
            methods=["POST"],
            status_code=202,
            responses={202: done, **PROBLEMS},
            summary="Steer a running call",
        )
        return router

    async def place(self, request: Request, body: CallRequest) -> JSONResponse:
        """Places one call. 202 means: accepted for later, or the outcome is unknown and must not be dialled again yet."""
        try:
            answer = await self._place(request, body)
        except EarshotError as error:
            answer = problem_of(error)
        quotas = hour_and_day(per_hour=self._desk.limits.per_hour, per_day=self._desk.limits.per_day)
        answer.headers.update(rate_limit_headers(quotas, self._desk.dialled(), datetime.now(UTC)))
        return answer

    async def _place(self, request: Request, body: CallRequest) -> JSONResponse:
        client = client_of(request, Scope.CALL)
        _require_unasked(client)
        key = read_key(request, body)
        try:
            order = self._desk.order(body.destination, **body.order_fields())
        except EarshotError as error:
            self._desk.dials.refused(error)
            raise
        if body.dryRun:
            await self._desk.weigh(order, client)
            asked = {"to": order.sip_uri or order.to, "assistantId": order.assistant_id or None, "squadId": order.squad_id}
            return JSONResponse({"dryRun": True, **asked, "phoneNumberId": order.phone_number_id})
        placed = await self._desk.place(order, client, key=key, allow_duplicate=body.allowDuplicate)
        return await self._answer_placed(request, placed)

    async def _answer_placed(self, request: Request, placed: Placed, *, whole: bool = True) -> JSONResponse:
        detail = DETAILS.get(placed.call.status)
        # The call as it was placed, but a listen URL only if it still runs.
        listen_url = await self._listen_url(request, self._desk.get(placed.call.id))
        answer = call_details(self._desk, placed.call, listen_url=listen_url, may_listen=may(request, Scope.LISTEN), detail=detail)
        headers = {"Location": answer["links"]["self"]} | ({"Idempotency-Replayed": "true"} if placed.replayed else {})
        return JSONResponse(answer if whole else {"id": placed.call.id}, 202 if detail else 201, headers=headers)

    async def calls(
        self,
        request: Request,
        filters: Annotated[CallFilters, Depends(call_filters)],
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Query(pattern=CURSOR, description="`nextCursor` of the page before")] = None,
    ) -> JSONResponse:
        """Running and past calls, newest first."""
        client_of(request, Scope.READ)
        found = await self._desk.page_of_calls(**filters.arguments(), before=read_cursor(cursor), limit=limit + 1)
        page = found[:limit]
        await self._desk.measurements.load(call.id for call in page)
        await self._desk.alerts.load(call.id for call in page)
        answers = [await self._answer(request, call) for call in page]
        return JSONResponse({"calls": answers, "nextCursor": cursor_of(page[-1]) if len(found) > limit else None})

    async def call(self, request: Request, call_id: str) -> JSONResponse:
        """One call as last read."""
        call = await self._desk.read(call_id, client_of(request, Scope.READ))
        await self._desk.measurements.load([call.id])
        await self._desk.alerts.load([call.id])
        return JSONResponse(await self._answer(request, call, detail=DETAILS.get(call.status)))

    async def end(self, request: Request, call_id: str) -> JSONResponse:
        """Hangs up and answers once Vapi confirms it; a call that has ended already is answered as it is."""
        call = await self._desk.end(call_id, client_of(request, Scope.CONTROL))
        return JSONResponse(await self._answer_as_allowed(request, call))

    async def reschedule(self, request: Request, call_id: str, body: RescheduleRequest) -> JSONResponse:
        """Cancels a scheduled call, and places one with the same options for another time, with an id of its own. The same request again
        is answered with that call. 409 `call_not_scheduled` once the call may have begun.
        """
        client = client_of(request, Scope.CALL)
        _require_unasked(client)
        earliest_at, latest_at = body.times()
        placed = await self._desk.reschedule(call_id, client, earliest_at=earliest_at, latest_at=latest_at)
        # Somebody else may have placed the call.
        return await self._answer_placed(request, placed, whole=may(request, Scope.READ))

    async def delete_data(self, request: Request, call_id: str) -> JSONResponse:
        """Deletes for good what is known of an ended call: number, transcript, summary, recordings. Times, costs and the audit stay.

        202 while Vapi has not confirmed its part: Earshot keeps asking, and `erasure.confirmedAt` tells when it has.
        """
        call = await self._desk.erase(call_id, client_of(request, Scope.MANAGE))
        confirmed = call.erasure is not None and call.erasure.confirmed_at is not None
        return JSONResponse(await self._answer_as_allowed(request, call), 200 if confirmed else 202)

    async def free_slot(self, request: Request, call_id: str) -> JSONResponse:
        """Lets another call be placed in the place of one that is stuck. The call itself is left alone: it may still be running."""
        call = await self._desk.free_slot(call_id, client_of(request, Scope.MANAGE))
        return JSONResponse(await self._answer_as_allowed(request, call))

    async def control(self, request: Request, call_id: str, body: ControlRequest) -> JSONResponse:
        """Has the assistant say something, gives it a message, mutes it or the customer, has it transfer the call, or hands the call to
        another assistant.

        `transfer`, `add-message` and `handoff` need the scope `transfer`: an assistant may have a tool of its own that transfers.
        """
        call = await self._desk.control(call_id, body.control(), client_of(request, body.action.scope))
        return JSONResponse(await self._answer_as_allowed(request, call), 202)

    async def _answer_as_allowed(self, request: Request, call: Call) -> dict[str, Any]:
        """The call, or only its id for a client that may not read calls."""
        return await self._answer(request, call) if may(request, Scope.READ) else {"id": call.id}

    async def _answer(self, request: Request, call: Call, *, detail: str | None = None) -> dict[str, Any]:
        listen_url = await self._listen_url(request, call)
        return call_details(self._desk, call, listen_url=listen_url, may_listen=may(request, Scope.LISTEN), detail=detail)

    async def _listen_url(self, request: Request, call: Call | None) -> str | None:
        if call is None or not call.running or call.status is CallStatus.UNKNOWN or not may(request, Scope.LISTEN):
            return None
        if self._direct:
            try:
                return (await self._desk.listen_target(call.id)).url
            except EarshotError:
                # Vapi may hand the URL out later; asking for the call again then gets it.
                return None
        scheme = "wss" if request.url.scheme == "https" else "ws"
        ticket = self._tickets.issue(call.id, client_of(request, Scope.LISTEN).name, getattr(request.state, "session", ""))
        return f"{scheme}://{request.headers['host']}{address(f'/api/calls/{call.id}/listen')}?ticket={ticket}"


def _require_unasked(client: Client) -> None:
    if client.asks_first:
        raise Forbidden("Somebody on the page has to confirm this token's calls: ask for them over /mcp.", code="confirmation_required")
