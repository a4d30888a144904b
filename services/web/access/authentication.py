"""Authentication: a pure ASGI middleware that sets the client of each request and refuses unauthenticated ones."""

import asyncio
from collections.abc import Coroutine
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.desk.lists.made_tokens import MadeTokens
from services.domain.client import LOCAL, PAGE, Client
from services.domain.client import Scope as Permission
from services.settings import Settings, SettingsError
from services.support.root_path import address, path_of
from services.support.tasks import Tasks
from services.web.access.logins import Logins, key_of_token
from services.web.access.sessions import COOKIE, Sessions
from services.web.access.tokens import ApiTokens
from services.web.problems import problem
from services.web.routes.webhook import ROUTE as WEBHOOK
from services.web.server.face_router import is_api

_OPEN_PAGES = ("/join", "/login", "/login/callback", "/login/over", "/login/provider", "/logout")
_READ_ONLY = frozenset({Permission.READ, Permission.LISTEN})
"""Scopes of which no route takes a body."""
_OPEN_FILES = ("/assets/", "/favicon.ico", "/_nicegui/")


class Authentication:
    """`sessions` is None if neither a password is set nor people sign in. Then the page needs no login; only this machine can reach it.

    The API requires a token or a session if there are sessions, a token is set, or one was `made` on the page. A listen socket requires a
    ticket instead.
    """

    def __init__(self, app: ASGIApp, *, sessions: Sessions | None, tokens: ApiTokens, made: MadeTokens) -> None:
        self.app = app
        self._sessions = sessions
        self._tokens = tokens
        self._made = made
        self._logins = Logins(sessions, made)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        path = path_of(scope)
        client, session = await self._client(Headers(scope=scope), api=is_api(path))
        if client is None and not _open(scope, path):
            if is_api(path) or scope["type"] == "websocket":
                answer = problem(
                    401,
                    "unauthorized",
                    "Send a valid token: Authorization: Bearer ...",
                    title="Authentication required",
                    headers={"WWW-Authenticate": "Bearer"},
                )
                return await answer(scope, receive, send)
            query = scope["query_string"].decode("latin-1")
            onward = quote(address(path) + (f"?{query}" if query else ""), safe="")
            return await RedirectResponse(address(f"/login?next={onward}"), 303)(scope, receive, send)
        if client is not None:
            if is_api(path) and client.scopes <= _READ_ONLY and _sends_body(scope):
                answer = problem(
                    403,
                    "forbidden_scope",
                    "This token may only read, so it can't send anything.",
                    title="Not allowed",
                    headers={"Connection": "close"},  # the body stays unread
                )
                return await answer(scope, receive, send)
            scope.setdefault("state", {}).update(client=client, session=session)
        if session and (scope["type"] == "websocket" or path.endswith("/events")):
            return await self._serve_until_logout(self._logins.over(session), scope, receive, send)
        return await self.app(scope, receive, send)

    async def _serve_until_logout(self, logout: Coroutine[Any, Any, None], scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a tab's socket and closes it with 4401 when its session ends, so that nobody dials from an open tab after a logout.

        An event stream sees its client disconnect.
        """
        tasks = Tasks()
        over = tasks.start(logout, name="wait for logout")
        coming: asyncio.Task[Message] | None = None

        async def receive_until_logout() -> Message:
            nonlocal coming
            coming = coming or tasks.start(_receive(receive), name="receive")
            await asyncio.wait({coming, over}, return_when=asyncio.FIRST_COMPLETED)
            if over.done() and scope["type"] == "http":
                return {"type": "http.disconnect"}
            if over.done():
                await send({"type": "websocket.close", "code": 4401, "reason": "logged out"})
                return {"type": "websocket.disconnect", "code": 4401}
            message, coming = coming.result(), None
            return message

        async def send_until_logout(message: Message) -> None:
            if not over.done() or scope["type"] == "http":
                await send(message)

        try:
            await self.app(scope, receive_until_logout, send_until_logout)
        finally:
            await tasks.aclose()

    async def _client(self, headers: Headers, *, api: bool) -> tuple[Client | None, str]:
        """The client of a request, and the key of its session or of its token that was made on the page, if it has one."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and (self._tokens or self._made):
            return self._bearer(token.strip()) if api else (None, "")
        if self._sessions and (session := await self._sessions.check(_session(headers))):
            return self._sessions.client_of(session), session
        if self._sessions is None and not (api and (self._tokens or self._made)):
            return LOCAL if api else PAGE, ""
        return None, ""

    def _bearer(self, token: str) -> tuple[Client | None, str]:
        found = self._made.find(token)
        return (found.client, key_of_token(found.id)) if found else (self._tokens.client_of(token), "")


def require_safe(settings: Settings) -> None:
    """Raises SettingsError if other machines could reach Earshot, directly or by a proxy, without a password and tokens."""
    signs_in = settings.people or settings.oidc_issuer
    if settings.on_loopback or signs_in or (settings.password and settings.api_tokens):
        return
    absent = [name for name, value in (("EARSHOT_PASSWORD", settings.password), ("EARSHOT_API_TOKENS", settings.api_tokens)) if not value]
    raise SettingsError(
        f"{' and '.join(absent)} must be set, or anybody who reaches this machine could place calls; otherwise leave HOST at 127.0.0.1 and "
        "name no other hosts and no proxies. `python -m services.web.tokens NAME` makes a token. "
        "EARSHOT_PEOPLE=on or EARSHOT_OIDC_ISSUER does instead of both"
    )


def require_whole_provider(settings: Settings) -> None:
    """Raises SettingsError if an identity provider is named, but not all that is needed to sign in there."""
    if not settings.oidc_issuer:
        return
    absent = [
        name
        for name, value in (("EARSHOT_OIDC_CLIENT_ID", settings.oidc_client_id), ("EARSHOT_OIDC_ROLES", settings.oidc_roles))
        if not value
    ]
    if absent:
        raise SettingsError(f"{' and '.join(absent)} must be set too: EARSHOT_OIDC_ISSUER alone lets nobody in")


async def _receive(receive: Receive) -> Message:
    return await receive()


def _open(scope: Scope, path: str) -> bool:
    """True for requests without authentication: login, health, and those with a ticket or a secret of their own."""
    if scope["type"] == "websocket":
        return path.startswith("/api/calls/") and path.endswith("/listen")
    if scope["method"] in ("GET", "HEAD") and path.startswith(_OPEN_FILES):
        return True
    return path in ("/health", "/health/live", "/metrics", WEBHOOK) or path in _OPEN_PAGES


def _sends_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return scope["type"] == "http" and (headers.get("content-length", "0") != "0" or "transfer-encoding" in headers)


def _session(headers: Headers) -> str:
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return cookie.value if cookie else ""
