"""Checks `Host` and `Origin` and sets security headers. A pure ASGI middleware before everything else, for WebSockets too."""

import re
import secrets
from collections.abc import Collection
from urllib.parse import unquote

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.support.content_policy import content_policy
from services.support.log_lines import logged_request
from services.support.root_path import path_of
from services.web.problems import problem

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.ASCII)
"""A name or an address and a port, nothing else: in `localhost:1@evil.example` a client may see another host than a server."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_OF_CALL = re.compile(r"/api/calls/([A-Za-z0-9-]{1,64})(?:/|$)")
_MOST_SOCKETS = 2000  # open at once, pages and listeners together
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Gatekeeper:
    """Refuses a foreign `Host` with 400 and a foreign `Origin` with 403, and adds security headers to every response.

    A web page anywhere can make its visitor's browser send requests to a server on loopback, and by DNS rebinding even read the
    answers; the first check stops the reading, the second the sending. Programs other than browsers send no `Origin` and pass.
    `allowed_origins` are other websites that may use the API.
    """

    def __init__(self, app: ASGIApp, *, allowed_hosts: Collection[str], allowed_origins: Collection[str] = ()) -> None:
        self.app = app
        self._allowed_origins = frozenset(allowed_origins)
        self._allowed_hosts = frozenset(allowed_hosts)
        self._sockets = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers.setdefault("Content-Security-Policy", policy)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] in ("https", "wss"):
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        # NiceGUI would insert this header's value into its pages, whoever sent it.
        scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"x-forwarded-prefix"]
        policy = content_policy(scope)
        request_id = secrets.token_hex(8)
        of_call = _OF_CALL.match(path_of(scope))
        with logged_request(request_id, of_call[1] if of_call else ""):
            await self._check(scope, receive, send_with_headers)
        return None

    async def _check(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if not self._allows_host(headers):
            answer = problem(
                400,
                "host_not_allowed",
                "Earshot does not serve this host name. Add it to EARSHOT_ALLOWED_HOSTS if it should.",
            )
            return await answer(scope, receive, send)
        if _CONTROL.search(scope["path"]):
            answer = problem(404, "not_found", "Nothing exists at this address: it contains control characters.")
            return await answer(scope, receive, send)
        if _CONTROL.search(unquote(scope["query_string"].decode("latin-1"))):
            answer = problem(422, "invalid_request", "The query contains control characters.")
            return await answer(scope, receive, send)
        allowed_website = headers.get("origin") in self._allowed_origins and path_of(scope).startswith("/api/")
        if not (allowed_website or _is_public_file(scope) or _from_own_page(scope, headers)):
            answer = problem(403, "cross_origin", "Requests from other websites are refused.")
            return await answer(scope, receive, send)
        if allowed_website:
            scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
        if scope["type"] != "websocket":
            return await self.app(scope, receive, send)
        if self._sockets >= _MOST_SOCKETS:
            answer = problem(503, "too_many_sockets", "Too many pages and listeners are connected. Close some.", retryable=True)
            return await answer(scope, receive, send)
        self._sockets += 1
        try:
            return await self.app(scope, receive, send)
        finally:
            self._sockets -= 1

    def _allows_host(self, headers: Headers) -> bool:
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            return False
        found = _HOST.fullmatch(hosts[0].lower())
        return found is not None and found[1] in self._allowed_hosts and int(found[2] or 0) < 65_536


def _is_public_file(scope: Scope) -> bool:
    """True for our scripts and style sheets, which are no secret. Behind a proxy that changes `Host` they still load, and the page can say
    what is wrong with it."""
    return scope["type"] == "http" and scope["method"] == "GET" and path_of(scope).startswith(("/assets/", "/_nicegui/"))


def _from_own_page(scope: Scope, headers: Headers) -> bool:
    origins = headers.getlist("origin")
    if origins:
        own = f"{'https' if scope['scheme'] in ('https', 'wss') else 'http'}://{headers['host'].lower()}"
        return len(origins) == 1 and origins[0].lower() == own
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return True
    # A link on another site may open our page in a tab. Everything else from other sites is refused.
    navigates = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest", "document") == "document"
    return scope["type"] == "http" and scope["method"] == "GET" and navigates
