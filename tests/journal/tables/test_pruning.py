"""The journal does not grow for ever, and what it lets go of holds up nothing."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from services.domain.call import Call, CallStatus
from services.domain.transcript import Line
from services.journal import AuditRow, Journal, Session, housekeeping
from services.journal.tables import pruning
from services.journal.tables.dials import KEY_KEPT
from services.journal.tables.pruning import KEPT, NOT_PRUNED, REFUSED_KEPT, SESSIONS_KEPT, pruned_tables
from services.web.access import sessions
from tests.journal.conftest import Clock, Open, an_order, execute
from tests.journal.tables.test_dials import begin
from tests.patience import HANG_S
from tests.test_architecture import ROOT

NAMES = {"earshot_dials": "tag", "earshot_calls": "id", "earshot_transcripts": "call_id", "earshot_audit": "id"} | {
    "earshot_measures": "call_id"
}
"""What is kept for more than a year."""
NOT_BY_AGE = {
    "earshot_sessions",
    "earshot_recordings",
    "earshot_erasures",
    "earshot_notes",
    "earshot_labels",
    "earshot_alerts",
    "earshot_outbox",
}
"""What has rules of its own, or goes with the call."""
LINES = [Line(key=1, speaker="customer", text="Hello?", at=datetime(2026, 9, 1, tzinfo=UTC), final=True)]


async def rows(url: str) -> dict[str, int]:
    return {table: len(await execute(url, f"SELECT {name} FROM {table}")) for table, name in NAMES.items()}  # noqa: S608


async def fill(journal: Journal, clock: Clock, count: int = 1) -> None:
    for _ in range(count):
        order = an_order()
        call = Call(id=order.tag, status=CallStatus.ENDED, to=order.to, tag=order.tag, created_at=clock.now)
        await begin(journal, order, key=order.tag)
        await journal.settle(order.tag, call=call, state="placed")
        await journal.save_transcript(call.id, LINES)
        await journal.measures.save(call.id, "{}", brief="{}", over=True)
        await journal.note(AuditRow(at=clock.now, who="shop", action="dial", call_id=call.id, to=order.to, outcome="queued"))


@pytest.mark.slow
async def test_calls_transcripts_dials_and_the_audit_are_kept_for_more_than_a_year(journal: Journal, url: str, clock: Clock) -> None:
    await fill(journal, clock)
    clock.pass_(KEPT - timedelta(seconds=1))
    await fill(journal, clock)
    await journal.forget_old()
    assert set((await rows(url)).values()) == {2}
    clock.pass_(timedelta(seconds=1))
    await journal.forget_old()
    assert set((await rows(url)).values()) == {1}


@pytest.mark.slow
async def test_more_than_a_batch_goes_too(journal: Journal, url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "_BATCH", 2)
    await fill(journal, clock, 5)
    clock.pass_(KEPT)
    await journal.forget_old()
    assert set((await rows(url)).values()) == {0}


async def test_a_session_goes_soon_after_it_can_no_longer_be_used(journal: Journal, clock: Clock) -> None:
    for day in range(3):
        await journal.save_session(Session(key=str(day), begun_at=clock.now + timedelta(days=day), used_at=clock.now))
    clock.pass_(SESSIONS_KEPT + timedelta(days=1))
    await journal.forget_old()
    assert [bool(await journal.session(str(day))) for day in range(3)] == [False, False, True]


async def test_what_is_known_of_a_recording_goes_when_nothing_of_it_is_left(open_journal: Open, url: str) -> None:
    journal = await open_journal(now=lambda: datetime.now(UTC) + KEPT + timedelta(minutes=1))
    recordings = journal.recordings
    for call_id in ("gone", "recorded", "stored", "unswept"):
        await recordings.take_lease(call_id)
        if call_id != "recorded":
            await recordings.release_lease(call_id)
    await recordings.keep("stored", began_ms=1, stored=True)
    await recordings.delete("unswept", at_ms=1)
    await journal.forget_old()
    left = {row[0] for row in await execute(url, "SELECT call_id FROM earshot_recordings")}
    assert left == {"recorded", "stored", "unswept"}


async def test_refused_dials_go_after_a_week_and_open_ones_never(journal: Journal, url: str, clock: Clock) -> None:
    for state in ("refused", "unknown", None):
        order = an_order()
        await begin(journal, order, key=None)
        if state:
            await journal.settle(order.tag, call=None, state=state)
    clock.pass_(REFUSED_KEPT - timedelta(seconds=1))
    await journal.forget_old()
    assert (await rows(url))["earshot_dials"] == 3
    clock.pass_(KEPT)
    await journal.forget_old()
    assert {row[0] for row in await execute(url, "SELECT state FROM earshot_dials")} == {"unknown", "dialling"}


async def test_every_table_is_pruned_or_says_why_not(journal: Journal, url: str, clock: Clock) -> None:
    catalogue = (
        # Triggers delete from the index of the search, as another test shows.
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'earshot_search%'"
        if url.startswith("sqlite")
        else "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    )
    tables = [row[0] for row in await execute(url, catalogue)]
    assert sorted(tables) == sorted([*pruned_tables(clock.now), *NOT_PRUNED])
    assert all(NOT_PRUNED.values())
    assert NAMES.keys() == pruned_tables(clock.now) - NOT_BY_AGE


@pytest.mark.slow
async def test_it_is_pruned_by_itself_every_hour(open_journal: Open, url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "HEARTBEAT", 0.01)
    journal = await open_journal(now=clock, tidies=True)
    await fill(journal, clock)
    clock.pass_(KEPT)
    async with asyncio.timeout(HANG_S):
        while set((await rows(url)).values()) != {0}:  # noqa: ASYNC110 - whenever it is
            await asyncio.sleep(0.01)


def test_rows_are_kept_as_long_as_the_readme_says() -> None:
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert f"for {KEPT.days} days, so that a bill can be checked" in readme
    assert f"refused dials for {REFUSED_KEPT.days} days, and idempotency keys for {KEY_KEPT / timedelta(hours=1):.0f} hours" in readme
    assert sessions._LONGEST + timedelta(days=1) == SESSIONS_KEPT, "a day longer than one can last"


async def test_a_row_that_is_needed_again_meanwhile_stays(journal: Journal, url: str, clock: Clock) -> None:
    recordings = journal.recordings
    await recordings.take_lease("one")
    await recordings.release_lease("one")
    later = datetime.now(UTC) + KEPT + timedelta(minutes=1)
    found = await journal._database.read(partial(pruning.outdated, now=later))
    assert [table.name for table, _ in found] == ["earshot_recordings"]
    await recordings.take_lease("one")
    for table, which in found:
        await journal._database.write(partial(pruning.delete, table=table, rows=which))
    assert await execute(url, "SELECT call_id FROM earshot_recordings") == [("one",)]
