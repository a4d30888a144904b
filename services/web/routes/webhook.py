"""`POST /api/vapi_events`: Vapi's server messages (docs.vapi.ai/server-url/events). Hints that make the page faster, and never the truth:
what they say of a call's state is read again from Vapi, and nothing waits for one. The owner's own server gets them too, and answers them.
"""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from services.desk.desk import CallDesk
from services.vapi.forwarding import NEED_ANSWER, ForwardFailed, WebhookForward
from services.vapi.webhooks import ServerMessage, read_server_message, read_tool_results
from services.web.problems import problem

ROUTE = "/api/vapi_events"
MAX_BODY = 2 * 1024 * 1024
"""Bytes: an end-of-call report carries the whole conversation. Parsing so much takes about 15 ms."""


def webhook_router(*, desk: CallDesk, forward: WebhookForward) -> APIRouter:
    """The route. `WebhookAccess` lets only requests of Vapi's reach it."""
    router = APIRouter()

    @router.post(ROUTE, summary="Vapi's server messages", responses=_RESPONSES, openapi_extra=_BODY)
    async def receive(request: Request) -> Response:
        """Takes a message of Vapi's as a hint to look at its call now, and returns the answer of the server in `EARSHOT_WEBHOOK_FORWARD`.

        The secret comes as `X-Vapi-Secret` or as a bearer token; or the message is signed (`EARSHOT_WEBHOOK_HMAC_KEY`).
        """
        body = await request.body()
        message = read_server_message(body)
        apply(desk, message)
        answer = await _answer(forward, message, body, request)
        if message.call_id and message.kind == "tool-calls" and answer.status_code == 200:
            for result in read_tool_results(bytes(answer.body)):
                desk.transcripts.take(message.call_id, result, way="webhook")
        return answer

    return router


async def _answer(forward: WebhookForward, message: ServerMessage, body: bytes, request: Request) -> Response:
    try:
        answer = await forward.send(message.kind, body, request.headers.items())
    except ForwardFailed as error:
        return problem(502, "webhook_forward_failed", f"The server in EARSHOT_WEBHOOK_FORWARD gave no answer: {error}.", retryable=True)
    if answer:
        headers = {"Content-Type": answer.content_type} if answer.content_type else None
        return Response(answer.body, answer.status, headers=headers)
    if message.kind in NEED_ANSWER:
        detail = f"Earshot can't answer {message.kind}. Set EARSHOT_WEBHOOK_FORWARD to the address of the server that can."
        return problem(501, "webhook_not_forwarded", detail)
    return JSONResponse({})


def apply(desk: CallDesk, message: ServerMessage) -> None:
    """Uses a message as a hint: reads its call from Vapi, or adds to its transcript."""
    if message.call_id is None:
        return
    if message.state_changed or desk.get(message.call_id) is None:
        desk.look(message.call_id)
    for event in message.events:
        desk.transcripts.take(message.call_id, event, way="webhook")


_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "Accepted, or ignored; or what the server in `EARSHOT_WEBHOOK_FORWARD` answered, with its status"},
    "4XX": {"description": "Not Vapi's secret or signature, or not a message (RFC 9457)", "content": {"application/problem+json": {}}},
    "5XX": {
        "description": "No secret is set here, or there is no server that could answer the message (RFC 9457)",
        "content": {"application/problem+json": {}},
    },
}
