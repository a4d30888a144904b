"""Recordings, transcripts, and the data and numbers of calls are kept for as many days as the settings say, and running calls always."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.desk.desk import CallDesk
from services.desk.erasing.retention import Kept, Retention
from services.domain.alert import Alert
from services.domain.call import Call, CallStatus
from services.domain.client import PAGE
from services.domain.rule import Rule, RuleKind
from services.domain.transcript import Line
from services.journal import AuditRow, Endpoint
from tests.desk.erasing.test_erasures import ended
from tests.desk.test_desk import NUMBER, until
from tests.desks import desk_at
from tests.journal.conftest import execute
from tests.stand_in import StandIn

DAY = timedelta(days=1)
WEEK = Kept.days(recordings=None, transcripts=None, numbers=7)


@pytest.fixture
async def desk(vapi: StandIn, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CallDesk]:
    monkeypatch.setattr("services.desk.erasing.retention._BETWEEN_S", 0.0)
    monkeypatch.setattr("services.desk.erasing.retention._BATCH", 1)
    monkeypatch.setattr("services.desk.calls.watcher.CALM", 0.2)
    async with desk_at(vapi.url, tmp_path, journal_at=url, keep_transcripts_days=3) as desk:
        yield desk


async def tidy(desk: CallDesk, kept: Kept, *, after: timedelta) -> list[datetime]:
    """What is deleted of recordings then: all that is from before these times."""
    asked: list[datetime] = []

    async def delete(before: datetime) -> int:
        asked.append(before)
        return 0

    await desk.settled()
    await Retention(desk, kept, delete_recordings=delete, now=lambda: datetime.now(UTC) + after).tidy()
    await desk.settled()
    return asked


@pytest.mark.slow
async def test_the_data_of_calls_and_numbers_go_after_their_days(vapi: StandIn, desk: CallDesk) -> None:
    call = await ended(vapi, desk)
    again = await ended(vapi, desk)
    await desk.journal.note(AuditRow(at=datetime.now(UTC), who="page", action="transfer", outcome="ok", detail=f"to {NUMBER}"))
    await tidy(desk, WEEK, after=7 * DAY - timedelta(minutes=1))
    assert call.id in vapi.calls
    await tidy(desk, WEEK, after=7 * DAY + timedelta(minutes=1))  # too soon after the last time
    assert call.id in vapi.calls
    await tidy(desk, WEEK, after=8 * DAY)
    assert vapi.calls == {}
    for one in (call, again):
        left = await desk.find(one.id)
        assert left
        assert left.erasure
        assert (left.to, left.cost, left.erasure.by) == (None, 0.07, "earshot")
    rows = await desk.journal.audit()
    assert NUMBER not in str(rows)
    assert {row.to for row in rows if row.action == "dial"} == {"…2671"}
    assert next(row.detail for row in rows if row.action == "transfer") == "to …2671"
    assert len([row for row in rows if row.action == "delete-data" and row.who == "earshot"]) == 4


@pytest.mark.slow
async def test_dials_keep_no_number_either(vapi: StandIn, desk: CallDesk, url: str) -> None:
    await ended(vapi, desk)
    await tidy(desk, WEEK, after=8 * DAY)
    assert NUMBER not in str(await execute(url, "SELECT to_number, asked, first_call FROM earshot_dials"))


@pytest.mark.parametrize("status", ["scheduled", "queued", "in-progress"])
async def test_a_call_that_is_not_over_is_left_alone_however_old(vapi: StandIn, desk: CallDesk, url: str, status: str) -> None:
    placed = (await desk.place(desk.order(NUMBER), PAGE)).call
    vapi.move(placed.id, status)
    await tidy(desk, WEEK, after=30 * DAY)
    assert (vapi.requests["DELETE /call/{id}"], vapi.erased_running) == (0, 0)
    assert NUMBER in str(await execute(url, "SELECT to_number, asked FROM earshot_dials"))  # it holds its slot


@pytest.mark.slow
async def test_a_call_that_runs_at_vapi_is_left_alone_and_others_go(vapi: StandIn, desk: CallDesk) -> None:
    running = (await desk.place(desk.order(NUMBER), PAGE)).call
    vapi.move(running.id, "in-progress")
    await until(desk, running.id, lambda call: call.status is CallStatus.IN_PROGRESS)
    await desk.journal.save(Call(id="wrong", status=CallStatus.ENDED, to=NUMBER, created_at=datetime.now(UTC) - DAY))
    vapi.calls["wrong"] = dict(vapi.calls[running.id]) | {"id": "wrong"}  # it is not over after all
    await desk.journal.save(Call(id="past", status=CallStatus.ENDED, to=NUMBER, created_at=datetime.now(UTC)))
    await tidy(desk, WEEK, after=8 * DAY)
    assert vapi.erased_running == 0
    wrong, past = await desk.journal.get("wrong"), await desk.journal.get("past")
    assert wrong
    assert past
    assert (wrong.erasure, past.to) == (None, None)


@pytest.mark.slow
async def test_transcripts_go_and_are_not_asked_of_vapi_again(vapi: StandIn, desk: CallDesk) -> None:
    old = Call(id="old", status=CallStatus.ENDED, created_at=datetime.now(UTC) - 4 * DAY, started_at=datetime.now(UTC) - 4 * DAY)
    new = Call(id="new", status=CallStatus.ENDED, created_at=datetime.now(UTC))
    for call in (old, new):
        await desk.journal.save(call)
        line = Line(key=1, speaker="customer", text="Only on Fridays", at=datetime.now(UTC), final=True)
        await desk.journal.save_transcript(call.id, [line])
    await desk.annotations.add_note(old, "Kept", PAGE)
    await tidy(desk, Kept.days(recordings=None, transcripts=3, numbers=None), after=timedelta(0))
    assert [call.id for call in await desk.page_of_calls(search="fridays")] == ["new"]
    assert [call.id for call in await desk.page_of_calls(search="kept")] == ["old"]
    assert (await desk.journal.transcript("old"), len(await desk.journal.transcript("new"))) == ((), 1)
    reads = vapi.requests["GET /call/{id}"]
    assert await desk.transcript("old") == ()
    assert vapi.requests["GET /call/{id}"] == reads
    assert [(row.who, row.outcome) for row in await desk.journal.audit() if row.action == "delete-transcripts"] == [("earshot", "1")]


async def test_alerts_quote_no_transcript_that_is_gone(desk: CallDesk, url: str) -> None:
    at = datetime.now(UTC)
    row = AuditRow(at=at, who="page", action="add-webhook", outcome="done")
    await desk.journal.outbox.add(Endpoint(id="crm", url="https://crm.example/", secret="s", kinds=(), made_at=at, made_by="page"), row)
    for name, made_at in (("old", at - 4 * DAY), ("new", at)):
        await desk.journal.save(Call(id=name, status=CallStatus.ENDED, created_at=made_at))
        line = Line(key=1, speaker="customer", text=f"{name} Fridays", at=made_at, final=True)
        await desk.journal.save_transcript(name, [line])
        rule = Rule(id="one", kind=RuleKind.KEYWORD, phrase="Friday")
        desk.alerts.add(Alert(call_id=name, rule=rule, at=made_at, said=line.text))
    await desk.alerts.settled()
    await tidy(desk, Kept.days(recordings=None, transcripts=3, numbers=None), after=timedelta(0))
    for table in ("earshot_alerts", "earshot_outbox"):
        kept = str(await execute(url, f"SELECT data FROM {table}"))  # noqa: S608
        assert ("old Fridays" in kept, "new Fridays" in kept) == (False, True), table
    assert [(alert.rule.id, alert.said) for name in ("old", "new") for alert in desk.alerts.of(name)] == [
        ("one", ""),
        ("one", "new Fridays"),
    ]


async def test_each_process_deletes_its_recordings_and_one_the_rest(desk: CallDesk) -> None:
    kept = Kept.days(recordings=2, transcripts=3, numbers=None)
    for _ in range(2):
        [before] = await tidy(desk, kept, after=timedelta(0))
        assert datetime.now(UTC) - 2 * DAY - before < timedelta(minutes=1)
    assert await tidy(desk, Kept(), after=timedelta(0)) == []
