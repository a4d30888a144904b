"""Reads the body of a request before the application sees it, within limits of size and time."""

import asyncio

from starlette.responses import JSONResponse
from starlette.types import Message, Receive

from services.web.problems import problem

BODY_TIMEOUT_S = 20.0
"""Seconds within which the whole body has to arrive."""


async def receive_body(receive: Receive, most: int, timeout_s: float) -> bytes | JSONResponse | None:
    """The body; the answer to one that is too large or too slow; None if the client disconnected."""
    try:
        async with asyncio.timeout(timeout_s):
            body = await _read_body(receive, most)
    except TimeoutError:
        return problem(408, "body_too_slow", "The body did not arrive in time.", retryable=True, headers={"Connection": "close"})
    if body is not None and len(body) > most:
        return problem(413, "body_too_large", f"The body is too large: at most {most} bytes.", headers={"Connection": "close"})
    return body


async def _read_body(receive: Receive, most: int) -> bytes | None:
    """The body, cut off once it is too large; None if the client disconnected."""
    body = bytearray()
    while len(body) <= most:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return bytes(body)


def replaying(body: bytes, receive: Receive) -> Receive:
    """Gives the application the body that was read, then whatever else arrives."""
    replayed = False

    async def replay() -> Message:
        nonlocal replayed
        if replayed:
            return await receive()
        replayed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
