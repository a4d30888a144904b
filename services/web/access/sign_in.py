"""How people sign in, as the settings say: the shared password, names with passwords, an identity provider."""

from contextlib import AsyncExitStack
from urllib.parse import urlsplit

from fastapi import FastAPI

from services.desk.desk import CallDesk
from services.domain.person import Role
from services.domain.role_claims import has_claim
from services.settings import Settings
from services.support.passwords import Passwords
from services.web.access.join import join_router
from services.web.access.login import login_router
from services.web.access.login_audit import LoginAudit
from services.web.access.oidc.pending import PendingSignIns
from services.web.access.oidc.provider import Provider
from services.web.access.oidc.routes import oidc_router
from services.web.access.password_check import PasswordCheck
from services.web.access.sessions import Attempts, Sessions
from services.web.access.tickets import ticket_key


async def install_sign_in(pages: FastAPI, *, settings: Settings, desk: CallDesk, running: AsyncExitStack) -> Sessions | None:
    """Adds the routes for signing in to `pages`. Returns the sessions, or None if nobody has to log in. `running` closes what is opened.

    Raises JournalError.
    """
    if not settings.has_login:
        return None
    sessions = Sessions(desk.journal, password=settings.password, people=desk.people)
    running.push_async_callback(sessions.aclose)
    await sessions.load()
    audit = LoginAudit(desk.note)
    passwords, people = Passwords(), desk.people if settings.people else None
    check = PasswordCheck(password=settings.password, people=people, passwords=passwords, attempts=Attempts())
    pages.include_router(login_router(check=check, sessions=sessions, audit=audit, provider=urlsplit(settings.oidc_issuer).hostname or ""))
    if people:
        pages.include_router(join_router(people=people, passwords=passwords, sessions=sessions, audit=audit))
    if settings.oidc_issuer:
        await _install_provider(pages, settings=settings, desk=desk, sessions=sessions, audit=audit, running=running)
    return sessions


async def _install_provider(
    pages: FastAPI, *, settings: Settings, desk: CallDesk, sessions: Sessions, audit: LoginAudit, running: AsyncExitStack
) -> None:
    provider = Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        scopes=settings.oidc_scopes,
        complete=lambda claims: has_claim(claims, settings.oidc_role_claim) and has_claim(claims, "name"),
    )
    running.push_async_callback(provider.aclose)

    async def sign_in(subject: str, name: str, role: Role) -> str:
        return (await desk.people.signed_in(subject, name, role)).login

    pages.include_router(
        oidc_router(
            provider=provider,
            pending=PendingSignIns(await ticket_key(desk.journal)),
            claim=settings.oidc_role_claim,
            rules=settings.oidc_roles,
            sign_in=sign_in,
            sessions=sessions,
            attempts=Attempts(),
            audit=audit,
        )
    )
