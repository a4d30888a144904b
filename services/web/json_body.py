"""Limits request bodies by type, size and time. A pure ASGI middleware, so that a body is refused before it is parsed."""

import re
from collections.abc import Collection, Mapping

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from services.support.root_path import path_of
from services.web.problems import problem
from services.web.received_body import BODY_TIMEOUT_S, receive_body, replaying

MAX_BODY = 16 * 1024
MAX_DEPTH = 32
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*+\\u0000")
"""PostgreSQL takes no NUL, and a call must not become one that can't be written down."""


class JsonBody:
    """Answers 415 to a body whose content type is not JSON, 413 to one over MAX_BODY bytes, announced or not, 408 to a slow one, and 422 to
    JSON that is nested deeper than MAX_DEPTH or contains NUL.
    `larger` maps paths to higher limits in bytes, for long strings: at most MAX_BODY bytes may stand outside of strings, since parsing a
    megabyte of brackets or unknown fields would block the event loop for a second. `unchecked` are paths whose readers clean what comes,
    NUL too: Vapi can't correct a message.

    Because of the required content type, a browser sends a preflight before a body from another website, which only CORS grants.
    """

    def __init__(
        self, app: ASGIApp, timeout_s: float = BODY_TIMEOUT_S, *, larger: Mapping[str, int] | None = None, unchecked: Collection[str] = ()
    ) -> None:
        self.app = app
        self._timeout_s = timeout_s
        self._larger = larger or {}
        self._unchecked = unchecked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return await self.app(scope, receive, send)
        most = self._larger.get(path_of(scope), MAX_BODY)
        body = await receive_body(receive, most, self._timeout_s)
        if body is None:
            return None
        if isinstance(body, JSONResponse):
            return await body(scope, receive, send)
        if body and not _is_json(scope):
            answer = problem(415, "not_json", "Send the body as JSON, with the header Content-Type: application/json.")
            return await answer(scope, receive, send)
        if path_of(scope) not in self._unchecked and (error := _fault(body)):
            return await error(scope, receive, send)
        return await self.app(scope, replaying(body, receive), send)


def _fault(body: bytes) -> JSONResponse | None:
    """The answer to JSON that a parser, a log or a database can't be trusted with."""
    if b"\0" in body:  # JSON is UTF-8 (RFC 8259); Python would guess UTF-16 or UTF-32
        return problem(400, "malformed_json", "The body is not valid JSON.")
    bare = _STRING.sub(b"", body, count=MAX_BODY)
    depth = 0
    for bracket in bare[:MAX_BODY].translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            return problem(422, "invalid_request", f"The JSON is nested too deeply: at most {MAX_DEPTH} levels.")
    if len(bare) > MAX_BODY:
        return problem(413, "body_too_large", f"The body is too large: at most {MAX_BODY} bytes outside of its strings.")
    if _NUL.search(body):
        return problem(422, "invalid_request", "The JSON contains the character NUL.")
    return None


def _is_json(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"content-type":
            media_type = value.decode("latin-1").split(";")[0].strip().lower()
            return bool(media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json")))
    return False
