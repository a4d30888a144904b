"""Calls counted by day and outcome, by speaker and caller ID, on both databases, also after a migration."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from services.desk.insights import read_insights
from services.domain.alert import Alert
from services.domain.call import Call, CallStatus
from services.domain.insights import ENOUGH, ENOUGH_MEASURED, Period, Tally
from services.domain.rule import ANY_RULE, Rule, RuleKind
from services.journal import Journal, opening
from services.journal.database.codec import dump, milliseconds
from services.journal.database.counted import COUNTED
from services.journal.database.measured import MEASURED
from services.journal.database.migrations import STEPS, migrate
from services.journal.records import Counted
from services.journal.tables.insights import DAY_MS, Run, count
from services.measures.figures import Figures
from services.measures.floor import Conversation
from services.measures.turns import Turn
from tests.journal.conftest import Open, execute

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
CALL = Call(
    id="one",
    status=CallStatus.ENDED,
    assistant_id="riley",
    phone_number_id="main",
    created_at=NOON,
    started_at=NOON,
    ended_at=NOON + timedelta(seconds=90),
    ended_reason="customer-ended-call",
    cost=0.07,
)
MISSED = replace(CALL, started_at=None, ended_at=None, ended_reason="customer-did-not-answer", cost=None)
SOME = (
    CALL,
    replace(MISSED, id="missed"),
    replace(CALL, id="inbound", inbound=True, assistant_id=None, squad_id="team"),
    replace(MISSED, id="cancelled", ended_reason="earshot-cancelled", phone_number_id=None),
    replace(MISSED, id="active", status=CallStatus.IN_PROGRESS, ended_reason=None),
    replace(MISSED, id="unknown", status=CallStatus.UNKNOWN, ended_reason=None),
    replace(MISSED, id="later", status=CallStatus.SCHEDULED, ended_reason=None),
)


def days(first: date, count: int = 1, zone: ZoneInfo = BERLIN) -> Period:
    return Period(first=first, last=first + timedelta(days=count - 1), zone=zone)


@pytest.mark.slow
async def test_what_is_counted_and_what_is_not(journal: Journal) -> None:
    for call in SOME:
        await journal.save(call)
    found = await read_insights(journal, days(date(2026, 9, 1)))
    (day,) = found.days
    assert day.tally == found.total == Tally(calls=5, attempts=2, answered=1, talk_ms=180_000, cost=0.14, priced=2)
    assert day.outcomes == {"finished": 2, "not-reached": 1, "cancelled": 1, "active": 1}
    assert {name: tally.calls for name, tally in found.speakers.items()} == {"riley": 4, "team": 1}
    assert {name: tally.calls for name, tally in found.callers.items()} == {"main": 4, "": 1}
    only = await read_insights(journal, days(date(2026, 9, 1)), speaker="team", caller="main")
    assert (only.total.calls, only.days[0].tally.calls, list(only.callers)) == (1, 1, ["main"])
    assert {call.id for call in await journal.calls(speakers=["team"])} == {"inbound"}
    assert {call.id for call in await journal.calls(speakers=["riley"], callers=["main"], statuses=[CallStatus.ENDED])} == {"one", "missed"}


@pytest.mark.slow
async def test_calls_with_alerts_are_counted_by_day_and_by_rule_and_found(journal: Journal) -> None:
    refund, slow = (Rule(id=id_, kind=RuleKind.KEYWORD, phrase=id_) for id_ in ("refund", "slow"))
    for call in SOME:
        await journal.save(call)
    await journal.save(replace(CALL, id="next-day", created_at=NOON + timedelta(days=1), assistant_id="sam"))
    for call_id, rule in (("one", refund), ("one", slow), ("missed", refund), ("next-day", refund), ("unknown", slow), ("later", slow)):
        await journal.alerts.add(Alert(call_id=call_id, rule=rule, at=NOON + timedelta(days=2)))
    found = await read_insights(journal, days(date(2026, 9, 1), 3))
    assert [day.alerted for day in found.days] == [2, 1, 0]
    assert (found.alerted, found.rules) == (3, ((refund, 3), (slow, 1)))
    assert (await read_insights(journal, days(date(2026, 9, 1)))).rules == ((refund, 2), (slow, 1))
    assert (await read_insights(journal, days(date(2026, 9, 1), 3), speaker="sam")).rules == ((refund, 1),)
    expected = {"refund": {"one", "missed", "next-day"}, "slow": {"one", "unknown", "later"}, "other": set()}
    for rules, calls in {**expected, ANY_RULE: expected["refund"] | expected["slow"]}.items():
        assert {call.id for call in await journal.calls(rules=[rules])} == calls, rules


async def test_a_value_that_comes_after_a_first_count_is_counted_too(journal: Journal) -> None:
    await journal.save(CALL)
    await read_insights(journal, days(date(2026, 9, 1)))
    await journal.save(replace(CALL, id="two", assistant_id="sam", phone_number_id="second", ended_reason="customer-busy"))
    found = await read_insights(journal, days(date(2026, 9, 1)))
    assert (set(found.speakers), set(found.callers)) == ({"riley", "sam"}, {"main", "second"})
    assert sum(found.days[0].outcomes.values()) == 2
    assert len(found.days[0].outcomes) == 2


async def test_a_day_is_the_readers(journal: Journal) -> None:
    for number, hour in enumerate((21, 22, 23)):  # in Berlin it is tomorrow from 22:00 UTC on
        await journal.save(replace(CALL, id=str(number), created_at=datetime(2026, 9, 1, hour, tzinfo=UTC)))
    found = await read_insights(journal, days(date(2026, 9, 1), 3))
    assert [day.tally.calls for day in found.days] == [1, 2, 0]
    assert [day.tally.calls for day in (await read_insights(journal, days(date(2026, 9, 1), 1, ZoneInfo("UTC")))).days] == [3]


@pytest.mark.parametrize(("changes_on", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
async def test_days_on_which_clocks_change(journal: Journal, changes_on: date, hours: int) -> None:
    period = days(changes_on - timedelta(days=2), 5)
    at = period.midnights()
    assert at[3] - at[2] == timedelta(hours=hours)
    for day in range(5):
        for name, time in (("first", at[day]), ("last", at[day + 1] - timedelta(milliseconds=1))):
            await journal.save(replace(CALL, id=f"{name}-{day}", created_at=time))
    assert [day.tally.calls for day in (await read_insights(journal, period)).days] == [2] * 5


async def test_a_call_that_changes_is_counted_as_it_is_now(journal: Journal) -> None:
    await journal.save(replace(CALL, status=CallStatus.RINGING, started_at=None, ended_at=None, ended_reason=None, cost=None))
    period = days(date(2026, 9, 1))
    assert (await read_insights(journal, period)).days[0].outcomes == {"active": 1}
    await journal.save(replace(CALL, cost=None))
    await journal.save(CALL)
    found = await read_insights(journal, period)
    assert (found.days[0].outcomes, found.total) == (
        {"finished": 1},
        Tally(calls=1, attempts=1, answered=1, talk_ms=90_000, cost=0.07, priced=1),
    )


@pytest.mark.slow
@pytest.mark.parametrize("starts_empty", [True])
async def test_calls_of_before_the_update_are_counted_alike(url: str, open_journal: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "migrate", partial(migrate, steps=STEPS[: STEPS.index(COUNTED)]))
    await (await open_journal()).aclose()
    monkeypatch.undo()
    for call in SOME:
        values = f"'{call.id}', '{call.status}', {milliseconds(NOON)}, '', '{dump(call)}', '{call.ended_reason or ''}'"
        await execute(url, f"INSERT INTO earshot_calls (id, status, created_at, words, data, ended_reason) VALUES ({values})")  # noqa: S608
    columns = "SELECT id, speaker, caller, outgoing, answered, talk_ms, cost FROM earshot_calls ORDER BY id"
    journal = await open_journal()
    migrated = await execute(url, columns)
    for call in SOME:
        await execute(url, f"DELETE FROM earshot_calls WHERE id = '{call.id}'")  # noqa: S608
        await journal.save(call)
    assert [tuple(row) for row in migrated] == [tuple(row) for row in await execute(url, columns)]


def one_measured(number: int) -> Counted:
    return Counted(response_ms=None if number == 0 else 1000 * number, interrupted=number, barged_in=1)


@pytest.mark.slow
async def test_conversations_are_counted_as_they_were_measured_last(journal: Journal) -> None:
    for number in range(ENOUGH_MEASURED + 1):
        await journal.save(replace(CALL, id=str(number)))
        await journal.measures.save(str(number), "{}", brief="{}", counted=Counted(interrupted=9))
        await journal.measures.save(str(number), "{}", brief="{}", counted=one_measured(number), over=True)
        await journal.save(replace(CALL, id=str(number), cost=0.2))  # what a later read says of the call changes nothing of it
    await journal.save(replace(CALL, id="not measured"))
    (day,) = (await read_insights(journal, days(date(2026, 9, 1)))).days
    tally = day.tally
    assert (tally.calls, tally.measured, tally.timed) == (ENOUGH_MEASURED + 2, ENOUGH_MEASURED + 1, ENOUGH_MEASURED)
    assert (tally.response_ms, tally.interrupted, tally.barged_in) == (15_000, 15, ENOUGH_MEASURED + 1)
    assert (tally.response_s, tally.interruptions) == (3.0, (1.0, 2.5))
    few = replace(tally, timed=ENOUGH_MEASURED - 1, measured=ENOUGH_MEASURED - 1)
    assert (few.response_s, few.interruptions) == (None, None)


@pytest.mark.parametrize("starts_empty", [True])
async def test_conversations_of_before_the_update_are_counted_alike(url: str, open_journal: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = (Turn(0, 0, 2), Turn(1, 3.25, 8, 1.25), Turn(0, 7, 9, interrupts=True), Turn(1, 9.75, 12, 0.75))
    brief = json.dumps(Figures(Conversation(until=12, turns=turns), missing=(), clipped_s=(0, 0)).brief())
    monkeypatch.setattr(opening, "migrate", partial(migrate, steps=STEPS[: STEPS.index(MEASURED)]))
    await (await open_journal()).aclose()
    monkeypatch.undo()
    values = f"'one', 'ended', {milliseconds(NOON)}, '', '{dump(CALL)}', '{CALL.ended_reason}'"
    await execute(url, f"INSERT INTO earshot_calls (id, status, created_at, words, data, ended_reason) VALUES ({values})")  # noqa: S608
    await execute(url, f"INSERT INTO earshot_measures VALUES ('one', '', '', '{brief}')")  # noqa: S608
    await execute(url, "INSERT INTO earshot_measures VALUES ('two', 'here', '', '')")
    found = (await read_insights(await open_journal(), days(date(2026, 9, 1)))).total
    assert (found.measured, found.timed, found.response_ms, found.interrupted, found.barged_in) == (1, 1, 1000, 0, 1)


def test_a_rate_of_few_calls_is_none() -> None:
    assert Tally(attempts=ENOUGH - 1, answered=1).answer_rate is None
    assert Tally(attempts=ENOUGH, answered=5).answer_rate == 5 / ENOUGH


@pytest.mark.parametrize("url", [pytest.param("postgresql", marks=pytest.mark.process)], indirect=True)
async def test_postgresql_plans_each_count_for_its_own_period(journal: Journal) -> None:
    """Else it plans once for all, and a year is counted as if it had the calls of the days before."""

    def plans(connection: sa.Connection) -> tuple[int, int]:
        run = Run(number=0, days=1, start_ms=milliseconds(NOON), end_ms=milliseconds(NOON) + DAY_MS)
        for _ in range(10):
            count(connection, [run], speaker=None, caller=None, known={})
        counted = "FROM pg_prepared_statements WHERE statement LIKE '%FROM earshot_calls%' AND statement NOT LIKE '%prepared%'"
        (row,) = connection.exec_driver_sql(f"SELECT sum(generic_plans), sum(custom_plans) {counted}").all()
        return int(row[0]), int(row[1])

    generic, custom = await journal._database.read(plans)
    assert generic == 0
    assert custom == 2 * 10
