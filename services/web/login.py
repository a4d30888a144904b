"""The login before the page: one form, which works without JavaScript."""

import asyncio
import hmac
import math
from hashlib import sha256
from html import escape
from string import Template
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.web.json_body import PATIENCE
from services.web.sessions import COOKIE, Attempts, Sessions

_MAX_BODY = 4096
_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<title>Log in – Earshot</title>
<link rel="stylesheet" href="/assets/login.css">
</head>
<body>
<main>
<h1>Earshot</h1>
<p role="status"$hidden>You have been logged out. Calls that run go on; log in to get back to them.</p>
<form method="post" action="/login">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required autofocus maxlength="1000">
<input type="hidden" name="next" value="$next">
<p role="alert">$problem</p>
<button type="submit">Log in</button>
</form>
</main>
</body>
</html>
""")


def login_router(*, password: str, sessions: Sessions, attempts: Attempts) -> APIRouter:
    """`GET` and `POST /login`, `POST /logout`. The session is a new one at every login, so that none can be planted before."""
    router = APIRouter(include_in_schema=False)
    digest = sha256(password.encode()).digest()

    @router.get("/login")
    async def form(next: str = "/", over: str = "") -> Response:
        return _form(next, over=over == "1")

    @router.post("/login")
    async def login(request: Request) -> Response:
        address = request.client.host if request.client else ""
        fields = await _fields(request)
        onward = _own_path(fields.get("next", "/"))
        if wait := attempts.wait(address):
            seconds = math.ceil(wait)
            return _form(onward, f"Too many wrong passwords. Try again in {seconds} s.", status=429, headers={"Retry-After": str(seconds)})
        given = sha256(fields.get("password", "").encode(errors="replace")).digest()
        if not hmac.compare_digest(given, digest):
            attempts.failed(address)
            return _form(onward, "This is not the password.", status=401)
        attempts.succeeded(address)
        sessions.end(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse(onward, 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, sessions.begin(), httponly=True, samesite="strict", secure=secure, path="/")
        return answer

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        sessions.end(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=request.url.scheme == "https")
        return answer

    return router


def _form(onward: str, problem: str = "", *, over: bool = False, status: int = 200, headers: dict[str, str] | None = None) -> HTMLResponse:
    # With the policy of all other pages a browser would send the form with `Origin: null`, as from a foreign place.
    headers = {"Referrer-Policy": "same-origin", "Cache-Control": "no-store", **(headers or {})}
    page = _PAGE.substitute(next=escape(_own_path(onward)), problem=escape(problem), hidden="" if over else " hidden")
    return HTMLResponse(page, status, headers=headers)


def _own_path(text: str) -> str:
    """`text` where it is a path of ours, else the front page: a link to the login must not lead to another website."""
    ours = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if ours else "/"


async def _fields(request: Request) -> dict[str, str]:
    body = b""
    try:
        async with asyncio.timeout(PATIENCE):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MAX_BODY:
                    return {}
        found = parse_qs(body.decode(errors="replace"), max_num_fields=10)
    except (ValueError, TimeoutError):
        return {}
    return {name: values[0] for name, values in found.items()}
