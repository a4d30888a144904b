"""Signing in and out at an identity provider."""

import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.domain.errors import EarshotError, JournalError, Unauthorized
from services.domain.person import Role
from services.domain.role_claims import RoleRule, role_of
from services.support.root_path import address
from services.web.access.login import own_path
from services.web.access.login_audit import LoginAudit
from services.web.access.oidc.failures import Reason, SignInFailed
from services.web.access.oidc.pages import failed_page, onward_page
from services.web.access.oidc.pending import LASTS_S, Pending, PendingSignIns
from services.web.access.oidc.provider import Provider, SignedIn
from services.web.access.sessions import COOKIE, Attempts, Sessions
from services.web.problems import problem_of

log = logging.getLogger(__name__)

START, CALLBACK, OVER = "/login/provider", "/login/callback", "/login/over"
_PENDING, _HINT = "earshot_sign_in", "earshot_sign_out"
_LONGEST_HINT = 3500  # characters; a browser drops a cookie of more than 4096 bytes
_STATUS = {Reason.DOWN: 502, Reason.REFUSED: 403, Reason.STALE: 400, Reason.UNVERIFIED: 400, Reason.NO_ROLE: 403, Reason.NOT_ADMITTED: 403}

SignIn = Callable[[str, str, Role], Awaitable[str]]
"""Finds or adds the person with this subject, name and role, and returns what a session keeps of them. Raises EarshotError."""


def oidc_router(
    *,
    provider: Provider,
    pending: PendingSignIns,
    claim: str,
    rules: tuple[RoleRule, ...],
    sign_in: SignIn,
    sessions: Sessions,
    attempts: Attempts,
    audit: LoginAudit,
) -> APIRouter:
    """`/login/provider` leads to the provider, `/login/callback` back from there, and `/login/over` out of it after a logout."""
    router = APIRouter(include_in_schema=False)

    @router.get(START)
    async def start(request: Request, next: str = "/") -> Response:
        next_path = own_path(next)
        begun = pending.begin(next_path, _base(request) + address(CALLBACK))
        try:
            answer = RedirectResponse(await provider.sign_in_url(begun), 303)
        except SignInFailed as failure:
            return _failed(request, failure, next_path)
        # Lax: the provider's site leads back here. Other sites can't begin a sign-in in this browser, since they can't set the cookie.
        answer.set_cookie(_PENDING, pending.sealed(begun), max_age=LASTS_S, samesite="lax", **_cookie(request))
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @router.get(CALLBACK)
    async def callback(request: Request, state: str = "", code: str = "", iss: str = "", error: str = "") -> Response:
        peer = request.client.host if request.client else ""
        if wait := attempts.wait(peer):  # each answer costs a request to the provider
            answer: Response = failed_page(request, "too_many", 429, address("/login"), count=math.ceil(wait))
            answer.headers["Retry-After"] = str(math.ceil(wait))
            return answer
        begun = pending.opened(request.cookies.get(_PENDING, ""), state)
        try:
            person, login = await _signed_in(begun, code, iss, error)
            await sessions.end(request.cookies.get(COOKIE, ""))
            session_id = await sessions.begin(login)
            client = sessions.client_of_id(session_id)
        except Unauthorized:  # disabled or changed in this moment
            answer = _failed(request, SignInFailed(Reason.NOT_ADMITTED, "the session is over already"), address("/"))
        except SignInFailed as failure:
            if failure.reason in (Reason.STALE, Reason.UNVERIFIED):
                attempts.failed(peer)
            audit.failed("", failure.reason, peer)
            answer = _failed(request, failure, begun.next if begun else address("/"))
        except JournalError as failed:
            return problem_of(failed)
        else:
            attempts.succeeded(peer)
            audit.logged_in(client, "provider")
            answer = onward_page(request, begun.next if begun else address("/"))
            answer.set_cookie(COOKIE, session_id, **_session_cookie(request))
            hint = person.id_token if len(person.id_token) <= _LONGEST_HINT else "-"
            answer.set_cookie(_HINT, hint, samesite="strict", **_cookie(request))
        answer.delete_cookie(_PENDING, samesite="lax", **_cookie(request))
        return answer

    async def _signed_in(begun: Pending | None, code: str, issuer: str, error: str) -> tuple[SignedIn, str]:
        if begun is None:
            raise SignInFailed(Reason.STALE, "no sign-in of this browser waits for this answer")
        if error or not code:
            raise SignInFailed(Reason.REFUSED, f"the provider refused ({error!r:.60})")
        person = await provider.signed_in(code, begun, issuer)
        role = role_of(person.claims, claim, rules)
        if role is None:
            raise SignInFailed(Reason.NO_ROLE, f"none of EARSHOT_OIDC_ROLES fits the claim {claim} of {person.subject}")
        try:
            return person, await sign_in(person.subject, name_of(person), role)
        except JournalError:
            raise
        except EarshotError as refused:
            raise SignInFailed(Reason.NOT_ADMITTED, f"{person.subject}: {refused.code}") from None

    @router.get(OVER)
    async def over(request: Request) -> Response:
        back = _base(request) + address("/login")
        url = ""
        if hint := request.cookies.get(_HINT):
            try:
                url = await provider.sign_out_url(back, "" if hint == "-" else hint)
            except SignInFailed as failure:
                log.warning("nobody was signed out at the identity provider: %s", failure.detail)
        answer = RedirectResponse(url or back, 303)
        answer.delete_cookie(_HINT, samesite="strict", **_cookie(request))
        return answer

    return router


def name_of(person: SignedIn) -> str:
    """What the person is called here: their name, or else what they sign in with."""
    names = (person.claims.get(claim) for claim in ("name", "preferred_username", "email", "sub"))
    return next(name.strip() for name in names if isinstance(name, str) and name.strip())


def _failed(request: Request, failure: SignInFailed, next_path: str) -> Response:
    log.warning("sign-in failed (%s): %s", failure.reason, failure.detail)
    return failed_page(request, failure.reason, _STATUS[failure.reason], address(f"/login?next={quote(next_path, safe='')}"))


def _base(request: Request) -> str:
    """Where the browser reaches us: a host name that the gatekeeper allows, and the scheme that a trusted proxy passed on."""
    return f"{request.url.scheme}://{request.headers['host']}"


def _cookie(request: Request) -> dict[str, Any]:
    return {"httponly": True, "secure": request.url.scheme == "https", "path": address("/login")}


def _session_cookie(request: Request) -> dict[str, Any]:
    return _cookie(request) | {"samesite": "strict", "path": address("/")}
