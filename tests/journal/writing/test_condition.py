"""Whether dials can be written down is proven by a write, not assumed."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import pytest
import sqlalchemy as sa

from services.domain.errors import JournalError
from services.journal import Condition, Journal
from services.journal.database.postgres import _WRITERS_LOCK
from services.journal.writing import proof, writes
from tests.journal.conftest import Clock, an_order, execute
from tests.journal.database.test_schema import largest_file
from tests.journal.tables.test_dials import a_call, begin
from tests.patience import HANG_S


@asynccontextmanager
async def hung(url: str) -> AsyncIterator[None]:
    """Another process writes and does not come to an end: the database answers no write."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    from sqlalchemy.ext.asyncio import create_async_engine  # loads the ORM, which nothing on SQLite needs

    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")
            yield
    finally:
        await engine.dispose()


async def test_a_journal_at_rest_is_well(journal: Journal) -> None:
    await begin(journal, an_order())
    assert await journal.condition() == Condition(taken=1)


async def test_a_database_that_confirms_no_write_is_reported_with_what_waits(
    url: str, journal: Journal, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "_PATIENCE_S", 0.2)
    async with hung(url):
        for _ in range(2):
            assert (await journal.condition()).trouble == "The journal's database has not confirmed a write within 0.2 seconds."
        saving = asyncio.create_task(journal.save(a_call(an_order())))
        await asyncio.sleep(0)
        found = await journal.condition()
        assert (found.since, found.waiting, found.waiting_since) == (clock.now, 1, clock.now)
    await saving
    async with asyncio.timeout(60):
        while (found := await journal.condition()) != Condition():  # noqa: ASYNC110 - whenever it is
            await asyncio.sleep(0.05)


async def test_a_late_event_loop_is_not_taken_for_a_database_that_confirms_nothing(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one that renders many pages on a busy machine: the database has answered, and nothing has read it yet."""
    monkeypatch.setattr(proof, "_PATIENCE_S", HANG_S)
    clock, loop_clock = time.monotonic, asyncio.get_running_loop().time
    asking = asyncio.create_task(journal.condition())
    await asyncio.sleep(0)
    monkeypatch.setattr(time, "monotonic", lambda: clock() + 10 * HANG_S)
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: loop_clock() + 10 * HANG_S)
    assert [found.trouble for found in await asyncio.gather(asking, journal.condition())] == [None, None]


async def test_a_database_that_takes_no_writes_is_reported(url: str, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, or a primary that has become a standby."""
    monkeypatch.setattr(proof, "_FRESH_S", 0.0)
    if url.startswith("sqlite"):
        with largest_file(1000):
            assert (await journal.condition()).trouble
    else:
        name = url.partition("?")[0].rpartition("/")[2]
        server = url.replace(f"/{name}?", "/postgres?")
        await execute(server, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await execute(server, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608 - ours
        async with asyncio.timeout(60):
            while "read-only" not in ((await journal.condition()).trouble or ""):  # noqa: ASYNC110 - the broken connections go first
                await asyncio.sleep(0.01)
        await execute(server, f"ALTER DATABASE {name} SET default_transaction_read_only = off")
    async with asyncio.timeout(60):
        while (await journal.condition()).trouble:  # noqa: ASYNC110 - whenever it is
            await asyncio.sleep(0.01)


async def test_all_who_ask_at_once_share_one_write(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "_FRESH_S", 3600.0)
    write, written = journal._proof._write, 0

    def counting(connection: sa.Connection) -> proof.Slots:
        nonlocal written
        written += 1
        return write(connection)

    monkeypatch.setattr(journal._proof, "_write", counting)
    await asyncio.gather(*(journal.condition() for _ in range(10)))
    await journal.condition()
    assert written == 1
    monkeypatch.setattr(proof, "_FRESH_S", 0.0)
    await journal.condition()
    assert written == 2


async def test_a_failure_holds_no_longer_than_a_success(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "_FRESH_S", 0.0)

    async def full(_work: object) -> None:
        raise JournalError("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(journal._proof._database, "write", full)
        assert (await journal.condition()).trouble == "The disk is full."
    assert (await journal.condition()).trouble is None


async def test_too_many_waiting_facts_are_a_trouble(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writes, "MOST_FACTS", 0)
    assert "wait to be written" in ((await journal.condition()).trouble or "")
