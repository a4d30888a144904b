"""`POST /api/vapi_events`: Vapi's server messages (docs.vapi.ai/server-url/events). Hints that make the page faster, and never the truth:
what they say of a call's state is read again from Vapi, and nothing waits for one.
"""

import json
import re
import secrets
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.desk.desk import CallDesk
from services.domain.errors import NotConfigured, RequestError, Unauthorized
from services.vapi.listen_events import event_of

ROUTE = "/api/vapi_events"
MAX_BODY = 2 * 1024 * 1024
"""Bytes: an end-of-call report carries the whole conversation. Parsing so much takes about 15 ms."""

_NEWS_OF_STATE = frozenset({"status-update", "end-of-call-report", "hang", "assistant.started", "transfer-update"})
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def webhook_router(*, desk: CallDesk, secret: str) -> APIRouter:
    """The route. It comes from outside and brings its own `secret`; without one it takes nothing in."""
    router = APIRouter()

    @router.post(ROUTE, summary="Vapi's server messages", responses=_RESPONSES, openapi_extra=_BODY)
    async def take(request: Request) -> JSONResponse:
        """Takes a message of Vapi's as a hint to look at its call now. The secret comes as `X-Vapi-Secret` or as a bearer token."""
        if not secret:
            raise NotConfigured("Webhooks are not set up. Set EARSHOT_WEBHOOK_SECRET, and the same secret at Vapi.")
        if not any(secrets.compare_digest(shown.encode(), secret.encode()) for shown in _shown(request)):
            raise Unauthorized("This is not the webhook secret. Set the same one in EARSHOT_WEBHOOK_SECRET and at Vapi.")
        hear(desk, _message(await request.body()))
        return JSONResponse({})

    return router


def hear(desk: CallDesk, message: Mapping[str, Any]) -> None:
    """Takes in one message; one that tells of no call, or of nothing that is wanted here, changes nothing."""
    call = message.get("call")
    call_id = call.get("id") if isinstance(call, dict) else None
    if not isinstance(call_id, str) or not _ID.fullmatch(call_id):
        return
    if message.get("type") in _NEWS_OF_STATE or desk.get(call_id) is None:
        desk.look(call_id)
    if event := event_of(message):
        if (at := message.get("timestamp")) is not None and isinstance(at, int | float):
            event["time"] = at  # what tells a message that was delivered twice from one that says the same again
        desk.transcripts.take(call_id, event, way="webhook")


def _shown(request: Request) -> list[str]:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return [request.headers.get("x-vapi-secret", ""), token.strip() if scheme.lower() == "bearer" else ""]


def _message(body: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    message = told.get("message", told) if isinstance(told, dict) else None
    if not isinstance(message, dict):
        raise RequestError("This is no message of Vapi's: send the JSON object that its server messages are.")
    return message


_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "Taken in, or not of interest"},
    "4XX": {"description": "Not Vapi's secret, or not a message (RFC 9457)", "content": {"application/problem+json": {}}},
    "5XX": {"description": "No secret is set here (RFC 9457)", "content": {"application/problem+json": {}}},
}
