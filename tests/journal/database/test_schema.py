"""The journal's files, its schema through the versions, and a disk or server that fails."""

import asyncio
import resource
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from services.domain.call import Call, CallStatus
from services.domain.errors import JournalError, LimitReached
from services.domain.limits import Limits
from services.journal import AuditRow, Journal, opening
from services.journal.database.codec import dump, milliseconds
from services.journal.database.migrations import STEPS, Step, migrate
from tests.journal.conftest import Clock, Open, an_order, execute
from tests.journal.tables.test_dials import a_call, begin


@pytest.mark.slow
async def test_an_older_schema_is_brought_up_to_date_once(url: str, open_journal: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    old = await open_journal()
    await begin(old, an_order())
    await old.aclose()
    newer: Step = ("CREATE TABLE later (id {id} UNIQUE, place {serial})",)
    monkeypatch.setattr(opening, "migrate", partial(migrate, steps=(*STEPS, newer)))
    for _ in range(2):
        new = await open_journal()
        assert len(await new.unsettled()) <= 1
        await new.aclose()
    assert (await execute(url, "SELECT version FROM earshot_schema"))[0][0] == len(STEPS) + 1
    assert len(await execute(url, "SELECT tag FROM earshot_dials")) == 1
    monkeypatch.undo()
    with pytest.raises(JournalError, match=r"newer Earshot.*restore the backup that was made before the update"):
        await open_journal()


async def test_a_key_that_an_older_earshot_answered_keeps_its_call(
    url: str, open_journal: Open, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "migrate", partial(migrate, steps=STEPS[:2]))
    await (await open_journal()).aclose()
    monkeypatch.undo()
    order = an_order()
    call = a_call(order)
    dial = f"'{order.tag}', 'shop', '{order.to}', '{dump(order)}', 'placed', 'old', {milliseconds(clock.now)}, 'call-1', 'key', 'body'"
    await execute(
        url,
        "INSERT INTO earshot_dials (tag, client, to_number, asked, state, instance, dialled_at, call_id, key, fingerprint,"  # noqa: S608
        f""" answer_status, answer_body) VALUES ({dial}, 201, '{{"id": "call-1"}}')""",
    )
    values = f"'call-1', '{order.tag}', 'queued', 1, '', '{dump(call)}'"
    await execute(url, f"INSERT INTO earshot_calls (id, tag, status, created_at, words, data) VALUES ({values})")  # noqa: S608
    journal = await open_journal(now=clock)
    assert (await begin(journal, an_order())).replay == call


@pytest.mark.slow
async def test_calls_that_ran_before_the_upgrade_keep_their_slots(
    url: str, open_journal: Open, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "migrate", partial(migrate, steps=STEPS[:5]))
    await (await open_journal()).aclose()
    monkeypatch.undo()
    in_a_day = clock.now + timedelta(days=1)
    for name, status, earliest_at in (("runs", "queued", None), ("over", "ended", None), ("later", "scheduled", in_a_day)):
        order = an_order(earliest_at=earliest_at)
        dial = f"'{order.tag}', 'shop', '{order.to}', '{dump(order)}', 'placed', 'old', {milliseconds(clock.now)}"
        columns = "tag, client, to_number, asked, state, instance, dialled_at"
        await execute(url, f"INSERT INTO earshot_dials ({columns}) VALUES ({dial})")  # noqa: S608
        call = Call(id=name, status=CallStatus(status), tag=order.tag, created_at=clock.now)
        values = f"'{name}', '{order.tag}', '{status}', {milliseconds(clock.now)}, '', '{dump(call)}'"
        await execute(url, f"INSERT INTO earshot_calls (id, tag, status, created_at, words, data) VALUES ({values})")  # noqa: S608
    journal = await open_journal(now=clock)

    async def full(at_once: int) -> bool:
        try:
            await journal.weigh(an_order(), client="shop", limits=Limits(at_once=at_once))
        except LimitReached:
            return True
        return False

    assert [await full(1), await full(2)] == [True, False]
    clock.pass_(timedelta(days=1))  # the call of before the upgrade is over by the clock, the scheduled one is due
    assert [await full(1), await full(2)] == [True, False]
    assert await journal.free_slot("later")
    assert not await full(1)


async def test_a_step_that_fails_leaves_everything_as_it_was(url: str, open_journal: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    await (await open_journal()).aclose()
    monkeypatch.setattr(opening, "migrate", partial(migrate, steps=(*STEPS, ("CREATE TABLE later (id INTEGER)", "nonsense"))))
    with pytest.raises(JournalError):
        await open_journal()
    monkeypatch.undo()
    journal = await open_journal()
    assert (await execute(url, "SELECT version FROM earshot_schema"))[0][0] == len(STEPS)
    await execute(url, "CREATE TABLE later (id INTEGER)")
    await begin(journal, an_order())


@pytest.mark.slow
async def test_many_may_open_a_new_journal_at_once(open_journal: Open) -> None:
    await asyncio.gather(*(open_journal() for _ in range(5)))


async def test_a_new_file_that_another_process_is_writing_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        opening = asyncio.create_task(Journal.open(f"sqlite:///{path}"))
        await asyncio.sleep(0.2)  # nothing tells from outside that the journal stands at the lock
        assert not opening.done()
        other.execute("COMMIT")
    await (await opening).aclose()


async def test_folder_and_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    journal = await Journal.open(f"sqlite:///{folder / 'journal.db'}")
    await begin(journal, an_order())
    modes = {str(path.relative_to(tmp_path)): stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}
    await journal.aclose()
    assert modes.pop("new/data") == modes.pop("new/data/journal.db-processes") == 0o700
    assert len(modes) == 4
    assert set(modes.values()) == {0o600}


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """A disk that is full, as far as this process is concerned."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.slow
async def test_a_full_disk_is_reported_and_nothing_is_half_written(tmp_path: Path, clock: Clock) -> None:
    journal = await Journal.open(f"sqlite:///{tmp_path / 'journal.db'}", now=clock)
    written = 0
    with largest_file(1_000_000):
        for _ in range(1000):
            try:
                await begin(journal, an_order(), key=f"key-{written}")
            except JournalError:
                break
            written += 1
        with pytest.raises(JournalError, match="nothing is dialled that is not written down"):
            await begin(journal, an_order(), key="another")
        await journal.note(AuditRow(at=clock.now, who="shop", action="dial", outcome="refused", detail="x" * 100_000))
        assert await journal.audit() == []
    assert 10 < written < 1000
    assert (await begin(journal, an_order(), key=f"key-{written}")).replay is None
    assert len(await journal.dialled_since(clock.now - timedelta(hours=1))) == written + 1
    assert [row.outcome for row in await journal.audit()] == ["refused"]
    await journal.aclose()


@pytest.mark.process
async def test_a_lost_server_is_reported_and_found_again(postgres: Path, clock: Clock) -> None:
    server = f"postgresql://earshot@/%s?host={postgres}"
    await execute(server % "postgres", "CREATE DATABASE leaving")
    journal = await Journal.open(server % "leaving", now=clock)
    await execute(server % "postgres", "ALTER DATABASE leaving ALLOW_CONNECTIONS false")
    await execute(server % "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'leaving'")
    with pytest.raises(JournalError):
        await begin(journal, an_order())
    with pytest.raises(JournalError):
        await journal.calls()
    await execute(server % "postgres", "ALTER DATABASE leaving ALLOW_CONNECTIONS true")
    assert (await begin(journal, an_order())).replay is None
    assert len(await journal.dialled_since(clock.now - timedelta(hours=1))) == 1
    await journal.aclose()


async def test_one_write_that_can_not_be_written_costs_no_other(journal: Journal, clock: Clock) -> None:
    outcomes = await asyncio.gather(
        begin(journal, an_order(), key="good"),
        begin(journal, an_order(), key="\ud83d"),
        journal.note(AuditRow(at=clock.now, who="shop", action="dial", outcome="placed")),
        return_exceptions=True,
    )
    assert [type(outcome).__name__ for outcome in outcomes] == ["Begun", "JournalError", "NoneType"]
    assert len(await journal.audit()) == 1


@pytest.mark.parametrize(
    "bad", ["", "nonsense", "mysql://host/db", "sqlite://", "sqlite:///:memory:", "sqlite:////dev/null/journal.db", "sqlite:////proc/j.db"]
)
async def test_a_journal_that_can_not_be_opened_says_so(bad: str) -> None:
    with pytest.raises(JournalError):
        await Journal.open(bad)


@pytest.mark.slow
async def test_an_unreachable_server_is_reported_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(JournalError) as caught:
        await Journal.open(f"postgresql://earshot:secret@/db?host={tmp_path}")
    assert "secret" not in caught.value.detail
