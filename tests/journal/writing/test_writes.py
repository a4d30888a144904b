"""Waiting facts: known by what they are about until they are written, and in batches of a bounded size."""

import asyncio
from datetime import UTC, datetime
from functools import partial

import pytest

from services.domain.errors import JournalError, KeyInProgress
from services.domain.limits import Limits
from services.journal import Begun, Journal
from services.journal.database.database import Database
from services.journal.tables import dials
from services.journal.writing import writer
from services.journal.writing.writes import Fact, Facts
from tests.journal.conftest import an_order
from tests.journal.tables.test_dials import a_call
from tests.patience import HANG_S

NOW = datetime(2026, 9, 1, 10, tzinfo=UTC)
LINES: Fact[str] = Fact(turn=0, run=lambda _connection, _wanted: None, about=lambda line: line[0])

NEWEST: Fact[str] = Fact(turn=0, run=lambda _connection, _wanted: None, about=lambda line: line[0], merge=lambda _, newer: newer)


async def test_a_fact_is_known_by_what_it_is_about_until_it_is_written() -> None:
    facts = Facts()
    for line in ("a1", "a2", "b1"):
        facts.add(LINES, line, NOW)
    first, second, third = facts.take(3)
    facts.written(first)
    assert "a" in facts
    facts.written(second)
    assert ("a" in facts, "b" in facts) == (False, True)
    facts.written(third)
    assert ("b" in facts, len(facts)) == (False, 0)


async def test_whoever_reported_a_fact_that_was_merged_into_an_earlier_one_is_answered() -> None:
    facts = Facts()
    older = facts.add(NEWEST, "a1", NOW)
    facts.take(1)
    newer = facts.add(NEWEST, "a2", NOW)
    facts.restore()
    assert (newer.done.done(), older.wanted, len(facts)) == (True, "a2", 1)


class Counting:
    """A database that keeps how many transactions it wrote, and waits before the first."""

    def __init__(self, database: Database) -> None:
        self.writes = 0
        self.go = asyncio.Event()
        self._database = database

    async def write(self, work: object) -> object:
        self.writes += 1
        await self.go.wait()
        return await self._database.write(work)  # type: ignore[arg-type]


@pytest.fixture
def counted(journal: Journal) -> Counting:
    counting = Counting(journal._database)
    journal._writer._database = counting  # type: ignore[assignment]
    return counting


async def test_a_writer_at_rest_writes_nothing(journal: Journal, counted: Counting) -> None:
    counted.go.set()
    await journal.save(a_call(an_order()))
    for _ in range(100):
        await asyncio.sleep(0)
    assert counted.writes == 1


async def test_facts_and_requests_share_transactions_of_a_bounded_size(
    journal: Journal, counted: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_LARGEST", 4)
    first = asyncio.ensure_future(journal.save(a_call(an_order())))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    work = [journal.hung_up(str(number)) for number in range(3)]
    requests = [journal.begin(an_order(), client="shop") for _ in range(2)]
    waiting = [asyncio.ensure_future(each) for each in (*work, *requests)]
    await asyncio.sleep(0)
    counted.go.set()
    await asyncio.gather(first, *waiting)
    assert counted.writes == 3, "one that was under way, one of four, and the rest"


async def test_one_key_twice_in_a_transaction_is_one_dial(journal: Journal) -> None:
    wanted = [journal._beginning(an_order(), "shop", Limits(), key="key", fingerprint="body") for _ in range(2)]
    one, other = await journal._database.write(partial(dials.begin, wanted=wanted))
    assert isinstance(one, Begun)
    assert isinstance(other, KeyInProgress)


async def test_closing_answers_everybody_who_waits_for_a_write(
    journal: Journal, counted: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_CLOSING_S", 0.05)
    under_way = asyncio.ensure_future(journal.begin(an_order(), client="shop"))
    async with asyncio.timeout(HANG_S):
        while not counted.writes:  # noqa: ASYNC110 - the writer has no signal for it
            await asyncio.sleep(0)
    queued = asyncio.ensure_future(journal.begin(an_order(), client="shop"))
    await asyncio.sleep(0)
    await journal.aclose()
    answered, waiting = await asyncio.wait((under_way, queued), timeout=HANG_S)
    assert not waiting
    assert all(isinstance(task.exception(), JournalError) for task in answered)


async def test_a_slow_write_is_done_whatever_its_function_is(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_SLOW_S", 0.0)
    await journal.recordings.deleted("c1", at_ms=1)
