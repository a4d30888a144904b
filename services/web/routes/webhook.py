"""`POST /api/vapi_events`: Vapi's server messages (docs.vapi.ai/server-url/events). Hints that make the page faster, and never the truth:
what they say of a call's state is read again from Vapi, and nothing waits for one.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.desk.desk import CallDesk
from services.vapi.webhooks import ServerMessage, read_server_message

ROUTE = "/api/vapi_events"
MAX_BODY = 2 * 1024 * 1024
"""Bytes: an end-of-call report carries the whole conversation. Parsing so much takes about 15 ms."""


def webhook_router(*, desk: CallDesk) -> APIRouter:
    """The route. `WebhookSecret` lets only requests with Vapi's secret reach it."""
    router = APIRouter()

    @router.post(ROUTE, summary="Vapi's server messages", responses=_RESPONSES, openapi_extra=_BODY)
    async def receive(request: Request) -> JSONResponse:
        """Takes a message of Vapi's as a hint to look at its call now. The secret comes as `X-Vapi-Secret` or as a bearer token."""
        if message := read_server_message(await request.body()):
            apply(desk, message)
        return JSONResponse({})

    return router


def apply(desk: CallDesk, message: ServerMessage) -> None:
    """Uses a message as a hint: reads its call from Vapi, or adds to its transcript."""
    if message.state_changed or desk.get(message.call_id) is None:
        desk.look(message.call_id)
    if message.speech:
        desk.transcripts.take(message.call_id, message.speech, way="webhook")


_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "Accepted, or ignored"},
    "4XX": {"description": "Not Vapi's secret, or not a message (RFC 9457)", "content": {"application/problem+json": {}}},
    "5XX": {"description": "No secret is set here (RFC 9457)", "content": {"application/problem+json": {}}},
}
