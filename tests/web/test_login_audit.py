"""Logins, failed ones and logouts are in the audit, and no flood of failed ones."""

import asyncio
from pathlib import Path

import pytest

from services.domain.client import PAGE, Client
from services.domain.person import Role
from services.journal import AuditRow, Session
from services.web.access.login_audit import MOST_FAILED, LoginAudit
from tests.stand_in import StandIn
from tests.web.test_authentication import browser
from tests.web.test_people import PASSWORD, Site, site


async def logins(here: Site) -> list[tuple[str, str, str, str]]:
    """Oldest first."""
    await here.desk.settled()
    rows: list[AuditRow] = await here.desk.journal.audit(actions=["login", "logout"])
    return [(row.who, row.action, row.outcome, row.detail) for row in reversed(rows)]


@pytest.mark.slow
async def test_each_way_in_and_out_is_in_the_audit(vapi: StandIn, tmp_path: Path) -> None:
    async with site(tmp_path, vapi, password="correct horse") as here, browser() as session:
        await here.join(session, await here.invite("Ana", Role.VIEWER))
        for _ in range(2):  # the second time nobody is logged in
            await here.post(session, "/logout")
        await here.log_in(session, "ana", "wrong")
        await here.log_in(session, "hunter2", "wrong")  # a password in the wrong field
        await here.log_in(session, "ANA")
        await here.log_in(session, "Ana")  # a new session instead of the old one
        await here.post(session, "/logout")
        await here.log_in(session, "", "correct horse")
        assert await logins(here) == [
            ("Ana", "login", "done", "link"),
            ("Ana", "logout", "done", ""),
            ("Ana", "login", "wrong_password", "127.0.0.1"),
            ("page", "login", "wrong_password", "127.0.0.1"),
            ("Ana", "login", "done", "password"),
            ("Ana", "login", "done", "password"),
            ("Ana", "logout", "done", ""),
            ("page", "login", "done", "password"),
        ]
        assert "hunter2" not in str(await here.desk.journal.audit())
        assert PASSWORD not in str(await here.desk.journal.audit())


@pytest.mark.slow
async def test_who_is_disabled_while_their_session_is_written_is_not_in(
    vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site(tmp_path, vapi) as here, browser() as session:
        await here.join(session, await here.invite("Ana", Role.VIEWER))
        await here.post(session, "/logout")
        ana = here.desk.people.named("Ana")
        assert ana
        save = here.desk.journal.save_session

        async def disabling(begun: Session) -> None:
            await save(begun)
            if not begun.ended:
                await here.desk.people.change(ana.id, PAGE, disabled=True)

        monkeypatch.setattr(here.desk.journal, "save_session", disabling)
        assert (await here.log_in(session, "Ana")).status == 401
        assert await here.status(session) == 401
        assert [row[2:] for row in await logins(here)] == [("done", "link"), ("done", "")]


def test_failed_logins_are_bounded_and_counted() -> None:
    now = 1000.0
    rows: list[tuple[str, str]] = []

    def note(client: Client, action: str, *, outcome: str, detail: str) -> "asyncio.Task[None]":
        rows.append((client.name, f"{action} {outcome} {detail}"))
        return None  # type: ignore[return-value]

    audit = LoginAudit(note, clock=lambda: now)
    for number in range(1000):
        audit.failed("", "wrong_password", f"2001:db8::{number % 9}")
    assert rows == [(PAGE.name, "login wrong_password 2001:db8::/64")] * MOST_FAILED
    now += 3600
    audit.failed("Ana", "wrong_password", "192.0.2.7")
    audit.logged_in(Client(name="Ana"), "password")
    assert rows[MOST_FAILED:] == [
        ("Ana", f"login wrong_password 192.0.2.7 (+{1000 - MOST_FAILED} failed)"),
        ("Ana", "login done password"),
    ]
    for _ in range(MOST_FAILED):
        audit.failed("", "wrong_password", "192.0.2.7")
    audit.logged_in(PAGE, "password")
    assert rows[-1] == (PAGE.name, "login done password (+1 failed)")
