"""What a request body may be: JSON, small, and there. A pure ASGI middleware, so that a body is refused before any of it is parsed."""

import asyncio
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.web.problems import problem

MAX_BODY = 16 * 1024
PATIENCE = 20.0
"""Seconds in which all of a body has to arrive."""


class JsonBody:
    """Answers 415 to a body that does not call itself JSON, 413 to one over MAX_BODY bytes, announced or not, and 408 to one that is slow.
    `larger` are the paths that take more, and how many bytes.

    Insisting on the content type also means that no web page can send a body here without a preflight, which is never granted.
    """

    def __init__(self, app: ASGIApp, patience: float = PATIENCE, *, larger: Mapping[str, int] | None = None) -> None:
        self.app = app
        self._patience = patience
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return await self.app(scope, receive, send)
        most = self._larger.get(scope["path"], MAX_BODY)
        try:
            async with asyncio.timeout(self._patience):
                body = await _whole(receive, most)
        except TimeoutError:
            answer = problem(408, "body_too_slow", "The body did not arrive in time.", retryable=True, headers={"Connection": "close"})
            return await answer(scope, receive, send)
        if body is None:
            return None
        if len(body) > most:
            answer = problem(413, "body_too_large", f"The body is too large: at most {most} bytes.", headers={"Connection": "close"})
            return await answer(scope, receive, send)
        if body and not _is_json(scope):
            answer = problem(415, "not_json", "Send the body as JSON, with the header Content-Type: application/json.")
            return await answer(scope, receive, send)
        replayed = False

        async def replay() -> Message:
            nonlocal replayed
            if replayed:
                return await receive()
            replayed = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        return await self.app(scope, replay, send)


async def _whole(receive: Receive, most: int) -> bytes | None:
    """The body, or as much of it as shows that it is too large; None where the client went away."""
    body = bytearray()
    while len(body) <= most:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return bytes(body)


def _is_json(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"content-type":
            media_type = value.decode("latin-1").split(";")[0].strip().lower()
            return bool(media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json")))
    return False
