"""The login form, which works without JavaScript."""

import asyncio
import hmac
import math
from hashlib import sha256
from string import Template
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.domain.errors import JournalError
from services.support.language import COOKIE as LANGUAGE_COOKIE
from services.support.language import THEME_COOKIE, preferred_language
from services.support.root_path import address
from services.support.words import catalogue
from services.web.access.sessions import COOKIE, Attempts, Sessions
from services.web.problems import problem_of
from services.web.received_body import BODY_TIMEOUT_S

_MAX_BODY = 4096
_PAGE = Template("""<!doctype html>
<html lang="$language"$theme>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<link rel="stylesheet" href="$root/assets/styles/login.css">
</head>
<body>
<main>
<h1><svg width="26" height="26" viewBox="0 0 24 24" aria-hidden="true"><path fill="none" stroke="currentColor" stroke-width="2.2"
stroke-linecap="round" d="M4 12v0M8 8v8M12 4.5v15M16 8v8M20 11v2"/></svg>Earshot</h1>
<p role="status"$hidden>$over</p>
<form method="post" action="$root/login?next=$next">
<label for="password">$label</label>
<input id="password" name="password" type="password" autocomplete="current-password" required autofocus maxlength="1000">
<p role="alert">$problem</p>
<button type="submit">$enter</button>
</form>
</main>
</body>
</html>
""")


def login_router(*, password: str, sessions: Sessions, attempts: Attempts) -> APIRouter:
    """`GET` and `POST /login`, `POST /logout`. Every login creates a new session, so that none can be planted before it."""
    router = APIRouter(include_in_schema=False)
    digest = sha256(password.encode()).digest()

    @router.get("/login")
    async def form(request: Request, next: str = "/", over: str = "") -> Response:
        return _form(request, next, over=over == "1")

    @router.post("/login")
    async def login(request: Request, next: str = "/") -> Response:
        peer = request.client.host if request.client else ""
        next_path = _own_path(next)
        if wait := attempts.wait(peer):  # before the body is read
            return _too_many(request, next_path, wait)
        password = await _password(request)
        if wait := attempts.wait(peer):  # again: bodies that arrive together must not all get the last free attempt
            return _too_many(request, next_path, wait)
        given = sha256(password.encode(errors="replace")).digest()
        if not hmac.compare_digest(given, digest):
            attempts.failed(peer)
            return _form(request, next_path, "wrong", status=401)
        attempts.succeeded(peer)
        await sessions.end(request.cookies.get(COOKIE, ""))
        try:
            session_id = await sessions.begin()
        except JournalError as error:
            return problem_of(error)
        answer = RedirectResponse(next_path, 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, session_id, httponly=True, samesite="strict", secure=secure, path=address("/"))
        return answer

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        await sessions.end(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse(address("/login"), 303)
        answer.delete_cookie(COOKIE, path=address("/"), httponly=True, samesite="strict", secure=request.url.scheme == "https")
        return answer

    return router


def _too_many(request: Request, next_path: str, wait: float) -> HTMLResponse:
    answer = _form(request, next_path, "too_many", status=429, seconds=math.ceil(wait))
    answer.headers["Connection"] = "close"
    return answer


def _form(request: Request, next_path: str, problem: str = "", *, over: bool = False, status: int = 200, seconds: int = 0) -> HTMLResponse:
    """The form in the browser's language; `problem` is the key of what went wrong, `seconds` how long to wait after too many failures,
    `over` whether an open page was logged out."""
    language = preferred_language(request.headers.get("accept-language", ""), request.cookies.get(LANGUAGE_COOKIE, ""))
    say = catalogue(language).say
    theme = request.cookies.get(THEME_COOKIE)
    page = _PAGE.substitute(
        root=address(""),
        language=language,
        theme=f' data-theme="{theme}"' if theme in ("light", "dark") else "",
        title=say("login_title"),
        label=say("login_label"),
        enter=say("login_enter"),
        next=quote(_own_path(next_path), safe=""),
        problem=say(f"login_{problem}", count=seconds) if problem else "",
        over=say("login_over"),
        hidden="" if over else " hidden",
    )
    # With `no-referrer`, as on other pages, a browser would send the form with `Origin: null`, which the gatekeeper refuses.
    headers = {"Referrer-Policy": "same-origin", "Cache-Control": "no-store", "Vary": "Accept-Language, Cookie"}
    if seconds:
        headers["Retry-After"] = str(seconds)
    return HTMLResponse(page, status, headers=headers)


def _own_path(text: str) -> str:
    """`text` if it is a path of ours, else the front page: a login link must not redirect to another website."""
    ours = text.startswith(address("/")) and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if ours else address("/")


async def _password(request: Request) -> str:
    """The form's password; empty if the body is no such form, too large or too slow."""
    body = b""
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MAX_BODY:
                    return ""
        found = parse_qs(body.decode(errors="replace"), max_num_fields=10)
    except (ValueError, TimeoutError):
        return ""
    return found.get("password", [""])[0]
