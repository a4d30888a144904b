"""What happens while the database can't be written is written afterwards; nothing new is begun meanwhile."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.domain.call import Call, CallStatus
from services.domain.errors import JournalError, KeyInProgress
from services.domain.limits import Limits
from services.domain.transcript import Line
from services.journal import AuditRow, DialState, Journal
from services.journal.database import sqlite
from services.journal.writing import proof, writer, writes
from tests.journal.conftest import Clock, Open, an_order, execute
from tests.journal.tables.test_dials import a_call, begin
from tests.patience import HANG_S

AT = datetime(2026, 9, 1, 10, tzinfo=UTC)
LINE = Line(key=1, speaker="customer", text="Hello", at=AT, final=True)

Outage = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A locked file is given up after 0.2 s instead of 10."""
    if "sqlite" in request.node.name:
        monkeypatch.setattr(sqlite, "PATIENCE_S", 0.2)


@pytest.fixture
def outage(url: str) -> Outage:
    """The database can't be written: on SQLite another program holds the lock, PostgreSQL drops all connections and takes none."""

    @asynccontextmanager
    async def locked() -> AsyncIterator[None]:
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield

    @asynccontextmanager
    async def no_connections() -> AsyncIterator[None]:
        name = url.partition("?")[0].rpartition("/")[2]
        server = url.replace(f"/{name}?", "/postgres?")
        await execute(server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await execute(server, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608 - our own name
        try:
            yield
        finally:
            await execute(server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    return locked if url.startswith("sqlite") else no_connections


def a_note(call: Call, who: str = "ann") -> AuditRow:
    return AuditRow(at=AT, who=who, action="end", outcome="in-progress", call_id=call.id)


async def until_written(journal: Journal) -> None:
    async with asyncio.timeout(HANG_S):
        while journal.waiting:  # noqa: ASYNC110 - whenever it is
            await asyncio.sleep(0.01)


async def test_a_call_that_began_and_ended_in_an_outage_is_in_the_journal_afterwards(journal: Journal, outage: Outage) -> None:
    order = an_order()
    await begin(journal, order)
    call = a_call(order)
    async with outage():
        await journal.settle(order.tag, call=call, state="placed", note=a_note(call, "dialler"))
        await journal.save(replace(call, status=CallStatus.ENDED, ended_reason="customer-ended-call"))
        await journal.save(replace(call, status=CallStatus.ENDED, cost=0.25))
        await journal.save_transcript(call.id, [LINE])
        await journal.note(a_note(call))
        with pytest.raises(JournalError):
            await begin(journal, an_order(), key="another")
    await until_written(journal)
    assert await journal.calls() == [replace(call, status=CallStatus.ENDED, ended_reason="customer-ended-call", cost=0.25)]
    assert await journal.transcript(call.id) == (LINE,)
    assert [row.who for row in await journal.audit(call_id=call.id)] == ["ann", "dialler"]
    assert (await begin(journal, an_order())).replay == call
    one = Limits(at_once=1)
    assert (await journal.begin(an_order(), client="shop", key="another", fingerprint="body", limits=one)).replay is None


async def test_a_refusal_in_an_outage_frees_the_key_and_the_slot(journal: Journal, outage: Outage) -> None:
    order = an_order()
    await begin(journal, order)
    async with outage():
        await journal.settle(order.tag, call=None, state="refused")
    await until_written(journal)
    again = await journal.begin(an_order(), client="shop", key="key", fingerprint="body", limits=Limits(at_once=1, per_hour=1))
    assert again.replay is None


async def test_what_could_not_be_begun_here_is_not_taken_back_where_another_process_dials_it(
    open_journal: Open, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off, other = await open_journal(now=clock), await open_journal(now=clock)
    order = an_order()  # of a call that is moved: its tag is the same in every process

    async def no_connection(*_: object) -> None:
        raise JournalError("no connection")

    await begin(other, order)
    with monkeypatch.context() as broken:
        broken.setattr(cut_off._writer, "do", no_connection)
        with pytest.raises(JournalError, match="no connection"):
            await begin(cut_off, order)
    await until_written(cut_off)
    dial = await other.dial(order.tag)
    assert dial
    assert (dial.state, dial.key) == (DialState.DIALLING, "key")


async def test_an_order_that_is_being_begun_is_not_begun_again_until_it_has_failed(journal: Journal, outage: Outage) -> None:
    order = an_order()
    async with outage():
        answers = await asyncio.gather(begin(journal, order), begin(journal, order), return_exceptions=True)
        assert [type(answer) for answer in answers] == [JournalError, KeyInProgress]
    await begin(journal, order)
    await until_written(journal)
    dial = await journal.dial(order.tag)
    assert dial
    assert dial.state is DialState.DIALLING


async def test_saves_of_one_call_are_one_fact(journal: Journal, outage: Outage) -> None:
    call = a_call(an_order())
    async with outage():
        for cost in range(100):
            await journal.save(replace(call, cost=float(cost)))
        assert journal.waiting == 1
    await until_written(journal)
    assert [saved.cost for saved in await journal.calls()] == [99.0]


async def test_with_too_many_facts_waiting_nothing_new_is_begun_and_none_is_dropped(
    journal: Journal, outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writes, "MOST_FACTS", 3)
    call = a_call(an_order())
    async with outage():
        for who in ("a", "b", "c", "d"):
            await journal.note(a_note(call, who))
        with pytest.raises(JournalError, match="wait to be written"):
            await begin(journal, an_order())
        with pytest.raises(JournalError):
            journal.require_room()
    await until_written(journal)
    assert [row.who for row in await journal.audit()] == ["d", "c", "b", "a"]
    journal.require_room()


async def test_closing_in_an_outage_says_what_is_lost(
    journal: Journal, outage: Outage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writer, "_CLOSING_S", 0.5)
    async with outage():
        await journal.save(a_call(an_order()))
        await journal.aclose()
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.CRITICAL] == [
        "not written before the end: save of call-1"
    ]


async def test_closing_writes_what_waits(journal: Journal, open_journal: Open, outage: Outage) -> None:
    call = a_call(an_order())
    async with outage():
        await journal.save(call)
    await journal.aclose()
    assert await (await open_journal()).calls() == [call]


async def test_a_fact_that_the_database_does_not_accept_holds_up_no_other(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_REJECTED_AGAIN_S", 0.05)
    call = a_call(an_order())
    await asyncio.gather(journal.note(a_note(call, "\ud800")), journal.save(call), journal.note(a_note(call)))
    assert await journal.calls() == [call]
    assert [row.who for row in await journal.audit()] == ["ann"]
    assert journal.waiting == 1


async def test_after_an_unforeseen_error_writing_goes_on_with_what_it_had_begun(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.support.tasks._AGAIN_S", 0)
    monkeypatch.setattr(writer, "_FACT_PATIENCE_S", HANG_S)
    errors = [SystemError("odd")]
    commit = journal._writer._commit

    async def fail_first(batch: list[writes.Write]) -> JournalError | None:
        if errors:
            raise errors.pop()
        return await commit(batch)

    monkeypatch.setattr(journal._writer, "_commit", fail_first)
    call = a_call(an_order())
    await journal.save(call)
    assert await journal.calls() == [call]


async def test_a_dial_of_this_process_that_nobody_works_on_is_open_work(journal: Journal) -> None:
    order = an_order()
    await begin(journal, order)
    assert await journal.unsettled({order.tag}) == []
    for _ in range(2):
        assert [dial.order for dial in await journal.unsettled(set())] == [order]


async def test_a_dial_whose_outcome_waits_to_be_written_is_no_open_work(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    order = an_order()
    await begin(journal, order)
    with monkeypatch.context() as patch:
        patch.setattr(journal._writer, "_work", asyncio.Event())  # it is not written for now
        settling = asyncio.ensure_future(journal.settle(order.tag, call=a_call(order), state="placed"))
        await asyncio.sleep(0)
        assert await journal.unsettled(set()) == []
    journal._writer.retry_now()
    await settling


async def test_a_dial_that_could_not_be_written_down_is_taken_back(journal: Journal, outage: Outage) -> None:
    async with outage():
        with pytest.raises(JournalError):
            await begin(journal, an_order())
    await until_written(journal)
    async with asyncio.timeout(HANG_S):
        while True:
            try:
                assert (await begin(journal, an_order())).replay is None
                break
            except (KeyInProgress, JournalError):
                await asyncio.sleep(0.01)


@pytest.mark.slow
async def test_after_an_outage_a_fact_is_on_disk_again_when_it_is_reported(journal: Journal, open_journal: Open, outage: Outage) -> None:
    async with outage():
        await journal.save(a_call(an_order()))
    await until_written(journal)
    for number in range(20):
        call = replace(a_call(an_order()), id=f"call-{number}")
        await journal.save(call)
        assert journal.waiting == 0


async def test_an_outage_is_as_old_as_the_first_write_that_failed(
    journal: Journal, outage: Outage, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "_FRESH_S", 0.0)
    async with outage():
        began = clock.now
        await journal.save(a_call(an_order()))
        clock.pass_(timedelta(minutes=1))
        condition = await journal.condition()
        assert condition.trouble
        assert condition.since == began
    await until_written(journal)


@pytest.mark.parametrize("busy", [False, True])
async def test_a_fact_that_the_database_rejected_is_tried_again(
    journal: Journal, url: str, monkeypatch: pytest.MonkeyPatch, busy: bool
) -> None:
    monkeypatch.setattr(writer, "_REJECTED_AGAIN_S", 0.2 if busy else 0.05)
    if url.startswith("sqlite"):
        forbid = "CREATE TRIGGER no_bob BEFORE INSERT ON earshot_audit WHEN new.who = 'bob' BEGIN SELECT RAISE(ABORT, 'no'); END"
        allow = "DROP TRIGGER no_bob"
    else:
        forbid = "ALTER TABLE earshot_audit ADD CONSTRAINT no_bob CHECK (who <> 'bob')"
        allow = "ALTER TABLE earshot_audit DROP CONSTRAINT no_bob"
    await execute(url, forbid)
    call = a_call(an_order())
    await asyncio.gather(journal.note(a_note(call, "bob")), journal.note(a_note(call)))
    assert ([row.who for row in await journal.audit()], journal.waiting) == (["ann"], 1)
    await execute(url, allow)
    async with asyncio.timeout(HANG_S):
        while journal.waiting:
            if busy:  # writes come more often than rejected facts are tried again
                await journal.save(call)
            await asyncio.sleep(0.01)
    assert [row.who for row in await journal.audit()] == ["bob", "ann"]
