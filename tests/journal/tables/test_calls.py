"""Calls only move forward, and a page of them is found without reading the others."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from services.domain.call import Analysis, Call, CallStatus, CostItem, Erasure, Output
from services.journal import AuditRow, Journal
from services.journal.database.codec import dump, load_call
from services.journal.tables.calls import page
from tests.journal.conftest import Clock, Open, execute

TEN = datetime(2026, 9, 1, 10, tzinfo=UTC)


def call(number: int = 1, status: CallStatus = CallStatus.QUEUED, **fields: object) -> Call:
    values: dict[str, object] = {"to": f"+1415555{number:04}", "created_at": TEN + timedelta(minutes=number), **fields}
    return Call(id=f"call-{number}", status=status, **values)  # type: ignore[arg-type]


async def ids(journal: Journal, **filters: object) -> list[str]:
    return [found.id for found in await journal.calls(**filters)]  # type: ignore[arg-type]


async def test_a_call_comes_back_whole(journal: Journal, open_journal: Open) -> None:
    whole = call(
        status=CallStatus.ENDED,
        caller_id="+14155550000",
        assistant_id="assistant",
        phone_number_id="phone",
        name="Ann \U0001f600",
        tag="tag",
        inbound=True,
        updated_at=TEN,
        ringing_at=TEN,
        started_at=TEN,
        ended_at=TEN + timedelta(milliseconds=1),
        ended_reason="customer-ended-call",
        ended_message="bye",
        cost=0.125,
        costs=(CostItem(kind="transport", dollars=0.1), CostItem(kind="voice", dollars=0.025)),
        summary="They \0 spoke \ud83d.",
        concurrency_blocked=True,
    )
    await journal.save(whole)
    assert await journal.get("call-1") == whole
    await journal.aclose()
    assert await (await open_journal()).get("call-1") == whole


async def test_a_state_never_goes_back(journal: Journal, clock: Clock) -> None:
    await journal.save(call(status=CallStatus.IN_PROGRESS, started_at=TEN))
    await journal.save(call(status=CallStatus.RINGING, summary="said"))
    await asyncio.gather(journal.save(call(status=CallStatus.ENDED)), journal.save(call(status=CallStatus.QUEUED, cost=1.0)))
    assert await journal.get("call-1") == call(status=CallStatus.ENDED, started_at=TEN, summary="said", cost=1.0)


async def test_reads_of_one_call_at_once_are_merged_in_turn(journal: Journal, clock: Clock) -> None:
    await asyncio.gather(*(journal.save(call(status=status)) for status in CallStatus if status is not CallStatus.UNKNOWN))
    found = await journal.get("call-1")
    assert found == call(status=CallStatus.ENDED, ringing_at=clock.now)


@pytest.mark.slow
async def test_two_processes_merge_what_they_read(journal: Journal, open_journal: Open) -> None:
    other = await open_journal()
    for number in range(20):
        await asyncio.gather(
            journal.save(call(number, status=CallStatus.ENDED, summary="said")),
            other.save(call(number, status=CallStatus.QUEUED, cost=1.0)),
        )
    found = await journal.calls()
    assert {(item.status, item.summary, item.cost) for item in found} == {(CallStatus.ENDED, "said", 1.0)}
    assert len(found) == 20


async def test_a_found_call_replaces_the_unknown_one_for_good(journal: Journal) -> None:
    unknown = Call(id="unknown-tag", status=CallStatus.UNKNOWN, tag="tag", created_at=TEN)
    await journal.save(unknown)
    assert await ids(journal) == ["unknown-tag"]
    await journal.save(call(tag="tag"))
    await journal.save(unknown)
    assert await ids(journal) == ["call-1"]
    assert await journal.get("unknown-tag") == call(tag="tag")
    await asyncio.gather(journal.save(replace(unknown, id="unknown-2", tag="2")), journal.save(call(2, tag="2")))
    assert await ids(journal) == ["call-2", "call-1"]


async def test_a_call_that_vapi_gave_no_time_has_that_of_its_first_reading(journal: Journal, clock: Clock) -> None:
    await journal.save(call(created_at=None))
    assert await journal.get("call-1") == call(created_at=clock.now)


async def test_pages_follow_each_other_without_gap_or_overlap(journal: Journal) -> None:
    same_moment = [replace(call(number), created_at=TEN) for number in range(10, 17)]
    await asyncio.gather(*(journal.save(item) for item in [*same_moment, *(call(number) for number in range(1, 9))]))
    wanted = [f"call-{number}" for number in [*range(8, 0, -1), *range(16, 9, -1)]]
    seen: list[str] = []
    before: tuple[datetime, str] | None = None
    while found := await journal.calls(before=before, limit=4):
        seen += [item.id for item in found]
        last = found[-1]
        assert last.created_at
        before = (last.created_at, last.id)
    assert seen == wanted


async def test_calls_are_filtered_and_searched(journal: Journal) -> None:
    await journal.save(call(1, status=CallStatus.ENDED, name="Änne", ended_reason="customer-busy"))
    await journal.save(call(2, status=CallStatus.RINGING, summary="100% sure_thing"))
    await journal.save(call(3, status=CallStatus.QUEUED))
    assert await ids(journal, statuses=[CallStatus.RINGING, CallStatus.QUEUED]) == ["call-3", "call-2"]
    assert await ids(journal, statuses=[]) == []
    assert await ids(journal, created_from=TEN + timedelta(minutes=2)) == ["call-3", "call-2"]
    assert await ids(journal, created_to=TEN + timedelta(minutes=2)) == ["call-1"]
    assert await ids(journal, search=" änn") == ["call-1"]
    assert await ids(journal, search="BUSY") == ["call-1"]
    assert await ids(journal, search="+1 (415) 555-0003") == ["call-3"]
    assert await ids(journal, search="0% sure_t") == ["call-2"]
    assert await ids(journal, search="_%") == []
    assert await ids(journal, search=" ") == ["call-3", "call-2", "call-1"]


async def test_a_field_that_is_not_known_yet_is_no_trouble(journal: Journal) -> None:
    assert load_call(dump(call()).replace("{", '{"from_the_future":1,')) == call()


def test_nor_is_one_of_a_part_of_a_call() -> None:
    known = call(
        costs=(CostItem(kind="model", dollars=0.5),),
        analysis=Analysis(outputs=(Output(name="mood", result="good"),)),
        erasure=Erasure(asked_at=datetime(2026, 9, 1, tzinfo=UTC), by="page"),
    )
    stored = json.loads(dump(known))
    for part in (stored["costs"][0], stored["analysis"], stored["analysis"]["outputs"][0], stored["erasure"]):
        part["from_the_future"] = 1
    assert load_call(json.dumps(stored)) == known


async def test_the_audit_says_who_did_what(journal: Journal, clock: Clock) -> None:
    await journal.note(AuditRow(at=clock.now, who="shop", action="dial", to="+14155550001", outcome="placed"))
    await journal.note(
        AuditRow(at=clock.now, who="page", action="listen", call_id="call-1", outcome="refused", detail="bad \0 ticket", words="no \0")
    )
    rows = await journal.audit()
    assert [(row.at, row.who, row.action, row.call_id, row.to, row.outcome, row.detail) for row in rows] == [
        (clock.now, "page", "listen", "call-1", None, "refused", "bad  ticket"),
        (clock.now, "shop", "dial", None, "+14155550001", "placed", ""),
    ]
    assert [row.who for row in await journal.audit(call_id="call-1")] == ["page"]
    assert [row.who for row in await journal.audit(limit=1)] == ["page"]


PAGES: dict[str, dict[str, object]] = {
    "all": {},
    "the next": {"before": (TEN, "call")},
    "ended": {"statuses": [CallStatus.ENDED], "before": (TEN, "call")},
    "running": {"statuses": [CallStatus.RINGING]},
    "of a day": {"created_from": TEN, "created_to": TEN + timedelta(days=1)},
}


@pytest.fixture
async def many(url: str, journal: Journal) -> None:
    """100,000 calls."""
    await execute(
        url,
        """INSERT INTO earshot_calls (id, tag, status, created_at, words, data)
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
        SELECT 'call-' || i, 'tag-' || i, CASE WHEN i % 5000 = 0 THEN 'ringing' ELSE 'ended' END, 1788256800000 + 60000 * CAST(i AS BIGINT),
        '', '{"id":"call-' || i || '","status":"ended"}' FROM n""",
    )
    await execute(url, "ANALYZE earshot_calls")


@pytest.mark.slow
@pytest.mark.usefixtures("many")
async def test_a_page_of_100_000_calls_is_read_from_an_index(journal: Journal) -> None:
    for name, filters in PAGES.items():
        everything: dict[str, object] = dict.fromkeys(("statuses", "created_from", "created_to", "before"))
        query = page(**{**everything, **filters, "limit": 50})  # type: ignore[arg-type]
        plan = await journal._database.read(lambda connection, query=query: explained(connection, query))  # type: ignore[misc]
        assert "earshot_calls_newest" in plan or "earshot_calls_status" in plan, f"{name}: {plan}"
        assert "TEMP B-TREE" not in plan, f"{name}: {plan}"
        assert "Seq Scan" not in plan, f"{name}: {plan}"
    assert await ids(journal, limit=2, before=(TEN + timedelta(minutes=50_000), "call-50000")) == ["call-49999", "call-49998"]


def explained(connection: sa.Connection, query: sa.Select[tuple[str]]) -> str:
    explain = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    words = query.compile(connection, compile_kwargs={"literal_binds": True})
    return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {words}"))
