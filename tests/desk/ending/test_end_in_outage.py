"""Hanging up while the journal can't be read: it needs no answer of the journal, whoever asks for it."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.domain.caps import Caps
from services.domain.client import Client
from services.domain.errors import JournalError
from services.domain.person import Role, make_person
from services.journal import Dial
from tests.desks import desk_at
from tests.patience import HANG_S
from tests.stand_in import StandIn

NUMBER = "+14155552671"


def caller(name: str) -> Client:
    """Somebody who may control only the calls that they placed."""
    return make_person(name, Role.CALLER, Caps(), now=datetime.now(UTC)).client


@contextmanager
def outage(journal: Path) -> Iterator[None]:
    """Nothing can be read of dials meanwhile."""
    with closing(sqlite3.connect(journal, isolation_level=None)) as other:
        other.execute("ALTER TABLE earshot_dials RENAME TO gone")
        try:
            yield
        finally:
            other.execute("ALTER TABLE gone RENAME TO earshot_dials")


@pytest.mark.slow
async def test_whoever_placed_a_call_hangs_it_up(vapi: StandIn, tmp_path: Path) -> None:
    ana, ben = caller("Ana"), caller("Ben")
    async with desk_at(vapi.url, tmp_path) as desk:
        call = (await desk.place(desk.order(NUMBER), ana)).call
        vapi.move(call.id, "in-progress")
        with outage(tmp_path / "journal.sqlite"):
            with pytest.raises(JournalError):
                await desk.rights.may_control(call, ana)
            with pytest.raises(JournalError):
                await desk.end(call.id, ben)
            assert vapi.calls[call.id]["status"] == "in-progress"
            assert not (await desk.end(call.id, ana)).running
    assert vapi.calls[call.id]["status"] == "ended"


async def test_nor_does_it_wait_for_a_journal_that_hangs(vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.desk.calls.call_rights._PATIENCE_S", 0.05)
    ana, ben = caller("Ana"), caller("Ben")
    async with desk_at(vapi.url, tmp_path) as desk, asyncio.timeout(HANG_S):
        call = (await desk.place(desk.order(NUMBER), ana)).call
        vapi.move(call.id, "in-progress")

        async def hang(_tag: str) -> Dial | None:
            await asyncio.Event().wait()
            return None

        desk.rights._dial = hang
        with pytest.raises(JournalError):
            await desk.end(call.id, ben)
        assert vapi.calls[call.id]["status"] == "in-progress"
        assert not (await desk.end(call.id, ana)).running
