"""Checks `Host` and `Origin` and sets security headers. A pure ASGI middleware before everything else, for WebSockets too."""

import secrets
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.web.problems import problem

# 'unsafe-inline' and 'unsafe-eval' are NiceGUI's needs: its page starts by an inline script and evaluates what the server sends.
_CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_MOST_SOCKETS = 2000  # open at once, pages and listeners together
_HEADERS = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
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
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] in ("https", "wss"):
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        # NiceGUI would insert this header's value into its pages, whoever sent it.
        scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"x-forwarded-prefix"]
        request_id = secrets.token_hex(8)
        headers = Headers(scope=scope)
        if not self._allows_host(headers):
            answer = problem(
                400,
                "host_not_allowed",
                "Earshot does not serve this host name. Add it to EARSHOT_ALLOWED_HOSTS if it should.",
            )
            return await answer(scope, receive, send_with_headers)
        allowed_website = headers.get("origin") in self._allowed_origins and scope["path"].startswith("/api/")
        if not allowed_website and not _from_own_page(scope, headers):
            answer = problem(403, "cross_origin", "Requests from other websites are refused.")
            return await answer(scope, receive, send_with_headers)
        if allowed_website:
            scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
        if scope["type"] != "websocket":
            return await self.app(scope, receive, send_with_headers)
        if self._sockets >= _MOST_SOCKETS:
            answer = problem(503, "too_many_sockets", "Too many pages and listeners are connected. Close some.", retryable=True)
            return await answer(scope, receive, send_with_headers)
        self._sockets += 1
        try:
            return await self.app(scope, receive, send_with_headers)
        finally:
            self._sockets -= 1

    def _allows_host(self, headers: Headers) -> bool:
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            return False
        host = hosts[0].lower()
        name = host[: host.rfind("]") + 1] if host.startswith("[") else host.split(":")[0]
        return name in self._allowed_hosts


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
