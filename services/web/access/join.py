"""The page to which a one-time link leads: its holder chooses a password, and is logged in. It works without JavaScript."""

from html import escape
from string import Template

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.desk.lists.people import People
from services.domain.errors import JournalError, RequestError, Unauthorized
from services.domain.person import LONGEST_NAME, Person
from services.support.passwords import LONGEST, SHORTEST, Passwords, TooManyWaiting
from services.support.root_path import address
from services.web.access.login import form_fields
from services.web.access.login_audit import LoginAudit
from services.web.access.login_page import login_page, words_of
from services.web.access.sessions import COOKIE, Sessions
from services.web.problems import problem_of

_FORM = Template("""<form method="post" action="$root/join">
<input type="hidden" name="code" value="$code">
<label for="name">$name_label</label>
<input id="name" name="name" type="text" autocomplete="username" value="$name" maxlength="$longest_name" required$fixed>
<label for="password">$password_label</label>
<input id="password" name="password" type="password" autocomplete="new-password" required
minlength="$shortest" maxlength="$longest">
<p role="alert">$problem</p>
<button type="submit">$enter</button>
</form>""")


def join_router(*, people: People, passwords: Passwords, sessions: Sessions, audit: LoginAudit) -> APIRouter:
    """`GET` and `POST /join`. Opening the link uses nothing up: programs that look at links in mails do so as well."""
    router = APIRouter(include_in_schema=False)

    @router.get("/join")
    async def form(request: Request, code: str = "") -> Response:
        person = people.of_code(code)
        return _form(request, person, code) if person else _dead(request)

    @router.post("/join")
    async def join(request: Request) -> Response:
        fields = await form_fields(request)
        code, name, password = (fields.get(field, "") for field in ("code", "name", "password"))
        person = people.of_code(code)
        if person is None:
            return _dead(request)
        if not SHORTEST <= len(password) <= LONGEST:
            return _form(request, person, code, name=name, problem="join_short", status=422)
        try:
            joined = await people.join(code, await passwords.hash(password), name=name)
            await sessions.end(request.cookies.get(COOKIE, ""))
            session_id = await sessions.begin(joined.login)
        except RequestError:
            return _form(request, person, code, name=name, problem="join_name", status=422)
        except Unauthorized:  # somebody else was sooner
            return _dead(request)
        except TooManyWaiting:
            return _form(request, person, code, name=name, problem="join_busy", status=429)
        except JournalError as error:
            return problem_of(error)
        audit.logged_in(joined.client, "link")
        answer = RedirectResponse(address("/"), 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, session_id, httponly=True, samesite="strict", secure=secure, path=address("/"))
        return answer

    return router


def _form(request: Request, person: Person, code: str, *, name: str = "", problem: str = "", status: int = 200) -> HTMLResponse:
    say = words_of(request).say
    body = _FORM.substitute(
        root=address(""),
        code=escape(code),
        name=escape(person.name or name[:LONGEST_NAME]),
        fixed=" readonly" if person.name else "",
        longest_name=LONGEST_NAME,
        shortest=SHORTEST,
        longest=LONGEST,
        name_label=say("login_name"),
        password_label=say("join_password", count=SHORTEST),
        problem=say(problem, count=SHORTEST) if problem else "",
        enter=say("join_enter"),
    )
    return login_page(request, "join_title", body, status=status)


def _dead(request: Request) -> HTMLResponse:
    said = escape(words_of(request).say("join_dead"))
    return login_page(request, "join_title", f'<p role="alert">{said}</p>', status=410)
