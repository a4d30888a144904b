"""What the log says at the start: where Earshot is, what is missing, and how the first owner gets in."""

import logging
from urllib.parse import urlencode

from services.desk.lists.people import People
from services.domain.person import Role
from services.settings import Settings

log = logging.getLogger("earshot")


def announce(settings: Settings) -> None:
    """Logs the address of the page, and the credentials that are missing."""
    if settings.missing:
        log.warning("%s missing: no call can be placed. Set it in the environment or in .env", " and ".join(settings.missing))
    what = "the demo line, no phone rings" if settings.demo else "real calls through Vapi"
    log.info("Earshot is at %s (%s)", _served_at(settings), what)


async def welcome_first_owner(settings: Settings, people: People) -> None:
    """Logs a link by which the first owner chooses a name and a password. Not if there is an owner, or another way to log in as one.

    The link works once, within 48 hours. Raises JournalError.
    """
    if not settings.people or settings.password or any(rule.role is Role.OWNER for rule in settings.oidc_roles):
        return
    if code := await people.first_link():
        log.warning("nobody can log in yet: open %s/join?%s to become the first owner", _served_at(settings), urlencode({"code": code}))


def _served_at(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}{settings.root_path}"
