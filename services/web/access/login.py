"""The login form, which works without JavaScript."""

import asyncio
from functools import partial
from html import escape
from string import Template
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.domain.errors import JournalError, Unauthorized
from services.support.root_path import address
from services.web.access.login_audit import LoginAudit
from services.web.access.login_page import login_page, words_of
from services.web.access.password_check import HasToWait, PasswordCheck
from services.web.access.sessions import COOKIE, Sessions
from services.web.problems import problem_of
from services.web.received_body import BODY_TIMEOUT_S

_MAX_BODY = 4096
_OVER = Template("""<p role="status"$hidden>$over</p>
""")
_PROVIDER = Template("""<p><a href="$root/login/provider?next=$next">$enter</a></p>
""")
_PASSWORD = Template("""<form method="post" action="$root/login?next=$next">
$name<label for="password">$label</label>
<input id="password" name="password" type="password" autocomplete="current-password" required$autofocus maxlength="1000">
<p role="alert">$problem</p>
<button type="submit">$enter</button>
</form>
""")
_NAME = Template("""<label for="name">$label</label>
<input id="name" name="name" type="text" autocomplete="username" autofocus maxlength="200">
""")


def login_router(*, check: PasswordCheck, sessions: Sessions, audit: LoginAudit, provider: str = "") -> APIRouter:
    """`GET` and `POST /login`, `POST /logout`. Every login creates a new session, so that none can be planted before it.

    `provider` is the name of the identity provider at which people may sign in. If nobody has a password, that is the only way.
    """
    router = APIRouter(include_in_schema=False)
    _form = partial(_login_form, by_password=check.any, by_name=check.by_name, provider=provider)

    def _too_many(request: Request, next_path: str, seconds: int) -> HTMLResponse:
        answer = _form(request, next_path, "too_many", status=429, seconds=seconds)
        answer.headers["Connection"] = "close"
        return answer

    @router.get("/login")
    async def form(request: Request, next: str = "/", over: str = "") -> Response:
        return _form(request, next, over=over == "1")

    @router.post("/login")
    async def login(request: Request, next: str = "/") -> Response:
        next_path = own_path(next)
        if not check.any:
            return _form(request, next_path, status=405)
        peer = request.client.host if request.client else ""
        try:
            check.wait(peer)  # before the body is read
            fields = await form_fields(request)
            login = await check.login_of(peer, fields.get("name", ""), fields.get("password", ""))
        except HasToWait as error:
            return _too_many(request, next_path, error.seconds)
        if login is None:
            audit.failed(check.known_name(fields.get("name", "")), "wrong_password", peer)
            return _form(request, next_path, "wrong_either" if check.by_name else "wrong", status=401)
        await sessions.end(request.cookies.get(COOKIE, ""))
        try:
            session_id = await sessions.begin(login)
            client = sessions.client_of_id(session_id)
        except JournalError as error:
            return problem_of(error)
        except Unauthorized:  # disabled or changed in this moment
            return _form(request, next_path, over=True, status=401)
        audit.logged_in(client, "password")
        answer = RedirectResponse(next_path, 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, session_id, httponly=True, samesite="strict", secure=secure, path=address("/"))
        return answer

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        if client := await sessions.end(request.cookies.get(COOKIE, "")):
            audit.logged_out(client)
        answer = RedirectResponse(address("/login"), 303)
        answer.delete_cookie(COOKIE, path=address("/"), httponly=True, samesite="strict", secure=request.url.scheme == "https")
        return answer

    return router


def _login_form(
    request: Request,
    next_path: str,
    problem: str = "",
    *,
    by_password: bool,
    by_name: bool,
    provider: str,
    over: bool = False,
    status: int = 200,
    seconds: int = 0,
) -> HTMLResponse:
    """The ways to log in, in the browser's language.

    `problem` is the key of what went wrong, `seconds` how long to wait after too many failures, `over` whether an open page was logged out.
    """
    say = words_of(request).say
    to = {"root": address(""), "next": quote(own_path(next_path), safe="")}
    ways = _PROVIDER.substitute(to, enter=escape(say("login_provider", provider=provider))) if provider else ""
    if by_password:
        told = say(f"login_{problem}", count=seconds) if problem else ""
        name = _NAME.substitute(label=say("login_name")) if by_name else ""
        autofocus = "" if by_name else " autofocus"
        ways += _PASSWORD.substitute(to, name=name, autofocus=autofocus, label=say("login_label"), problem=told, enter=say("login_enter"))
    body = _OVER.substitute(over=say("login_over"), hidden="" if over else " hidden") + ways
    answer = login_page(request, "login_title", body.rstrip(), status=status)
    if seconds:
        answer.headers["Retry-After"] = str(seconds)
    return answer


def own_path(text: str) -> str:
    """`text` if it is a path of ours, else the front page: a login link must not redirect to another website."""
    ours = text.startswith(address("/")) and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if ours else address("/")


async def form_fields(request: Request) -> dict[str, str]:
    """The fields of a form; none if the body is no such form, too large or too slow."""
    body = b""
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MAX_BODY:
                    return {}
        found = parse_qs(body.decode(errors="replace"), max_num_fields=10)
    except (ValueError, TimeoutError):
        return {}
    return {name: values[0] for name, values in found.items()}
