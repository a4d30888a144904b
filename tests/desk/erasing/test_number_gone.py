"""A number that was erased is nowhere any more: in no file of the data folder and in no table, however it is spelled."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.desk.desk import CallDesk
from services.desk.erasing.number_erasure import NumberErased, NumberKnown, erase_number, known_of
from services.domain.alert import Alert
from services.domain.call import Analysis, Call, CallStatus
from services.domain.client import PAGE, Scope
from services.domain.contact import Contact
from services.domain.errors import CallRunning, Forbidden, VapiUnavailable
from services.domain.rule import Rule, RuleKind
from services.domain.speech import Utterance
from services.domain.spellings import spellings
from services.domain.transcript import Line
from services.journal import AuditRow, Endpoint
from tests.desk.test_desk import NUMBER, place, until
from tests.desks import desk_at
from tests.journal.conftest import execute
from tests.stand_in import StandIn

SPELLED = spellings(NUMBER)
WRITTEN = ("+1 415-555-2671", "(415) 555-2671", "415.555.2671", "4155552671", "0014155552671", "41 55 55 26 71")
LONG = 4000 * f" and {WRITTEN[3]}"
"""So that rows have pages of their own, which are free after them."""
AT = datetime(2026, 9, 1, 10, tzinfo=UTC)
ROW = AuditRow(at=AT, who="page", action="add-webhook", outcome="done")


@pytest.fixture
async def desk(vapi: StandIn, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CallDesk]:
    monkeypatch.setattr("services.desk.erasing.erasures._AGAIN_S", 0.05)
    monkeypatch.setattr("services.desk.calls.watcher.CALM", 0.2)
    async with desk_at(vapi.url, tmp_path / "data", journal_at=url) as desk:
        yield desk


async def places(folder: Path, url: str) -> set[str]:
    """The files of the data folder, and the tables, in which the number is."""
    found = await asyncio.to_thread(_files, folder)
    if url.startswith("sqlite"):
        names = [row[0] for row in await execute(url, "SELECT name FROM sqlite_master WHERE type = 'table'")]
        names = [name for name in names if name == "earshot_search_rows" or not name.startswith("earshot_search")]
    else:
        names = [row[0] for row in await execute(url, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")]
    for name in names:
        if named("\n".join(str(tuple(row)) for row in await execute(url, f"SELECT * FROM {name}"))):  # noqa: S608
            found.add(name)
    return found


def _files(folder: Path) -> set[str]:
    return {file.name for file in folder.rglob("*") if file.is_file() and named(file.read_bytes().decode("latin-1"))}


def named(text: str) -> bool:
    return any(part in text for part in SPELLED.parts) or SPELLED.pattern.search(text) is not None


async def fill(vapi: StandIn, desk: CallDesk) -> Call:
    """Calls with the number, and calls with another one in which it is named, in each of the ways in which it may be written down."""
    endpoint = Endpoint(id="crm", url="https://crm.example/", secret="s", kinds=(), made_at=AT, made_by="page")
    await desk.journal.outbox.add(endpoint, ROW)
    order = desk.order(NUMBER, customer_name="Ana", first_message=f"Is this {WRITTEN[1]}?")
    call = (await desk.place(order, PAGE)).call
    vapi.move(call.id, "in-progress", startedAt="2026-09-01T10:00:00.000Z")
    await until(desk, call.id, lambda call: call.answered)
    desk.transcripts.take(call.id, Utterance(speaker="customer", text=f"My number is {WRITTEN[0]}" + LONG, final=True))
    await desk.annotations.add_note(call, f"Call back: {WRITTEN[2]}", PAGE)
    await desk.annotations.add_tag(call, WRITTEN[3], PAGE)
    vapi.move(call.id, "ended", endedAt="2026-09-01T10:01:00.000Z", endedReason="customer-ended-call", cost=0.07, summary=WRITTEN[4])
    await until(desk, call.id, lambda call: not call.running and call.cost is not None)
    await desk.contacts.add_all([Contact(number=NUMBER, name="Ana")], PAGE)

    found = Analysis(data={"phone": int(WRITTEN[3]), "also": "+1\u00a0415\u00a0555\u00a02671"}, latencies={"turn": 812.5})
    other = Call(
        id="other", status=CallStatus.ENDED, to="+442079460958", created_at=AT, summary=f"Transferred to {WRITTEN[5]}.", analysis=found
    )
    await desk.journal.save(other)
    await desk.journal.save_transcript("other", [Line(key=1, speaker="customer", text=f"Ask {WRITTEN[1]}" + LONG, at=AT, final=True)])
    await desk.annotations.add_note(other, WRITTEN[0], PAGE)
    await desk.annotations.add_tag(other, WRITTEN[2], PAGE)
    await asyncio.shield(desk.note(PAGE, "transfer", other, detail=WRITTEN[0], words=f"{WRITTEN[4]} is busy."))
    await asyncio.shield(desk.note(PAGE, "say", replace(other, id="shown", to=NUMBER), detail="Hello."))
    desk.alerts.add(Alert(call_id="other", rule=Rule(id="ask", kind=RuleKind.KEYWORD, phrase="ask"), at=AT, said=f"Ask {WRITTEN[1]}"))
    desk.alerts.add(Alert(call_id="other", rule=Rule(id="cost", kind=RuleKind.COST, above=1), at=AT, amount=2))
    return call


@pytest.mark.slow
async def test_it_is_in_no_file_and_in_no_table(vapi: StandIn, desk: CallDesk, tmp_path: Path, url: str) -> None:
    call = await fill(vapi, desk)
    await desk.settled()
    if url.startswith("sqlite"):
        await execute(url, "PRAGMA wal_checkpoint")  # so that the file has it too, not only the log
    before = await places(tmp_path / "data", url)
    assert before >= {
        *("earshot_calls", "earshot_dials", "earshot_audit", "earshot_outbox", "earshot_transcripts", "earshot_notes", "earshot_labels"),
        "earshot_states",
        *(("journal.db", "journal.db-wal") if url.startswith("sqlite") else ()),
    }
    assert await known_of(desk, NUMBER, PAGE) == NumberKnown(calls=1, running=0, contact=True, blocked=False)
    assert await erase_number(desk, NUMBER, PAGE) == NumberErased(erased=1, failed=0)
    assert vapi.calls == {}
    assert await places(tmp_path / "data", url) == set()
    assert await desk.page_of_calls(search=NUMBER) == []
    assert [found.id for found in await desk.page_of_calls(search="transferred to")] == ["other"]
    other = await desk.journal.get("other")
    assert other
    assert other.analysis == Analysis(data={"phone": "…2671", "also": "…2671"}, latencies={"turn": 812.5})
    left = await desk.find(call.id)
    assert left
    assert (left.to, left.cost) == (None, 0.07)
    rows = await desk.journal.audit()
    assert [(row.who, row.outcome, row.detail) for row in rows if row.action == "erase-number"] == [("page", "1", "…2671")]
    assert {row.to for row in rows if row.action == "dial"} == {"…2671"}
    assert next(row.detail for row in rows if row.action == "transfer") == "…2671"
    assert await known_of(desk, NUMBER, PAGE) == NumberKnown(calls=0, running=0, contact=False, blocked=False)


@pytest.mark.slow
async def test_it_is_not_shown_any_more_either(vapi: StandIn, desk: CallDesk) -> None:
    """Not from memory, and nothing is shown twice, once with the number and once without."""
    await fill(vapi, desk)
    before = await desk.timeline("other")
    changed: list[str] = []
    desk.timelines.changed.subscribe(changed.append)
    await erase_number(desk, NUMBER, PAGE)
    assert changed.count("other") == 1
    hidden = tuple(replace(entry, detail="…2671", words="…2671 is busy.") for entry in before)
    assert desk.timelines.of("other") == await desk.timeline("other") == hidden
    assert [entry.detail for entry in await desk.timeline("shown")] == ["Hello."]
    assert [alert.rule.id for alert in desk.alerts.of("other")] == ["cost"]


@pytest.mark.slow
async def test_another_process_shows_what_is_left_once(vapi: StandIn, desk: CallDesk, tmp_path: Path, url: str) -> None:
    await fill(vapi, desk)
    async with desk_at(vapi.url, tmp_path / "other", journal_at=url) as other:
        assert [entry.detail for entry in await other.timeline("other")] == [WRITTEN[0]]
        await erase_number(desk, NUMBER, PAGE)
        assert [entry.detail for entry in await other.timeline("other")] == ["…2671"]


@pytest.mark.slow
async def test_while_a_call_with_it_may_run_it_is_needed(vapi: StandIn, desk: CallDesk) -> None:
    call = await place(desk)
    assert await known_of(desk, NUMBER, PAGE) == NumberKnown(calls=0, running=1, contact=False, blocked=False)
    with pytest.raises(CallRunning, match="…2671"):
        await erase_number(desk, NUMBER, PAGE)
    assert (await desk.journal.audit())[0].to == NUMBER
    vapi.move(call.id, "ended", endedReason="customer-ended-call")
    await until(desk, call.id, lambda call: not call.running)
    assert await erase_number(desk, NUMBER, PAGE) == NumberErased(erased=1, failed=0)
    assert vapi.erased_running == 0


@pytest.mark.slow
async def test_while_the_data_of_a_call_is_left_so_is_the_number(
    vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
) -> None:
    """Else whoever asks again would not find the call."""
    await fill(vapi, desk)

    async def refuse(*_: object) -> None:
        raise VapiUnavailable("not now")

    with monkeypatch.context() as failing:
        failing.setattr(desk, "erase", refuse)
        assert await erase_number(desk, NUMBER, PAGE) == NumberErased(erased=0, failed=1)
    assert await erase_number(desk, NUMBER, PAGE) == NumberErased(erased=1, failed=0)
    assert await places(tmp_path / "data", url) == set()


@pytest.mark.slow
async def test_the_block_list_keeps_it_and_says_so(desk: CallDesk) -> None:
    await desk.blocked.add(NUMBER)
    assert (await known_of(desk, NUMBER, PAGE)).blocked
    assert await erase_number(desk, NUMBER, PAGE) == NumberErased(erased=0, failed=0, blocked=True)
    assert desk.blocked.rules == (NUMBER,)


async def test_only_who_may_manage_erases_it(desk: CallDesk) -> None:
    reader = replace(PAGE, scopes=frozenset({Scope.READ}))
    for refused in (known_of(desk, NUMBER, reader), erase_number(desk, NUMBER, reader)):
        with pytest.raises(Forbidden):
            await refused


@pytest.mark.slow
async def test_whoever_may_manage_needs_no_other_scope(vapi: StandIn, desk: CallDesk, tmp_path: Path, url: str) -> None:
    await fill(vapi, desk)
    assert await erase_number(desk, NUMBER, replace(PAGE, scopes=frozenset({Scope.MANAGE}))) == NumberErased(erased=1, failed=0)
    assert await places(tmp_path / "data", url) == set()


@pytest.mark.slow
async def test_what_vapi_tells_of_another_call_later_does_not_bring_it_back(
    vapi: StandIn, desk: CallDesk, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.desk.calls.transcript_archive._ASK_AGAIN_S", 0.0)
    other = (await desk.place(desk.order("+442079460958"), PAGE)).call
    vapi.move(other.id, "in-progress", startedAt="2026-09-01T10:00:00.000Z")
    await until(desk, other.id, lambda call: call.answered)
    vapi.move(other.id, "ended", endedReason="customer-ended-call", endedAt="2026-09-01T10:01:00.000Z", cost=0.07)
    await until(desk, other.id, lambda call: not call.running and call.cost is not None)
    await erase_number(desk, NUMBER, PAGE)
    said = "\n".join(f"User: Room 12, or {written}." for written in WRITTEN)
    vapi.move(other.id, "ended", artifact={"transcript": said})
    assert [line.text for line in await desk.transcript(other.id)] == ["Room 12, or …2671."] * len(WRITTEN)
    analysis = Analysis(data={"phone": int(WRITTEN[3]), "room": 12}, latencies={"turn": 812.5})
    await desk.journal.save(replace(other, summary=f"Ask {WRITTEN[0]}", ended_message=WRITTEN[1], analysis=analysis))
    left = await desk.journal.get(other.id)
    assert left
    assert (left.summary, left.ended_message, left.to) == ("Ask …2671", "…2671", "+442079460958")
    assert left.analysis == Analysis(data={"phone": "…2671", "room": 12}, latencies={"turn": 812.5})
    assert await places(tmp_path / "data", url) == set()


@pytest.mark.slow
async def test_nor_does_a_later_read_of_the_call_here_or_in_another_process(
    vapi: StandIn, desk: CallDesk, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.desk.calls.transcript_archive._ASK_AGAIN_S", 0.0)
    endpoint = Endpoint(id="crm", url="https://crm.example/", secret="s", kinds=(), made_at=AT, made_by="page")
    await desk.journal.outbox.add(endpoint, ROW)
    other = (await desk.place(desk.order("+442079460958"), PAGE)).call
    vapi.move(other.id, "in-progress", startedAt="2026-09-01T10:00:00.000Z")
    await until(desk, other.id, lambda call: call.answered)
    vapi.move(other.id, "ended", endedReason="customer-ended-call", endedAt="2026-09-01T10:01:00.000Z")
    await until(desk, other.id, lambda call: not call.running)
    await erase_number(desk, NUMBER, PAGE)
    found = {"successEvaluation": WRITTEN[1], "structuredData": {"phone": int(WRITTEN[3])}}
    vapi.move(
        other.id, "ended", cost=0.07, summary=f"Ask {WRITTEN[0]}", analysis=found, artifact={"transcript": f"User: It is {WRITTEN[2]}."}
    )
    desk.look(other.id)
    shown = await until(desk, other.id, lambda call: call.cost is not None and call.summary is not None)
    assert shown.summary == "Ask …2671"
    await desk.settled()
    async with desk_at(vapi.url, tmp_path / "data" / "other", journal_at=url) as second:
        for each in (desk, second):
            assert [line.text for line in await each.transcript(other.id)] == ["It is …2671."]
        await second.settled()
        assert await places(tmp_path / "data", url) == set()
        left = await second.find(other.id)
        assert left
        assert left.summary == "Ask …2671"


@pytest.mark.slow
async def test_nor_is_it_in_the_memory_of_another_process_that_reads_the_call(
    vapi: StandIn, desk: CallDesk, tmp_path: Path, url: str
) -> None:
    other = (await desk.place(desk.order("+442079460958"), PAGE)).call
    vapi.move(other.id, "ended", endedReason="customer-ended-call", endedAt="2026-09-01T10:01:00.000Z")
    await until(desk, other.id, lambda call: not call.running)
    async with desk_at(vapi.url, tmp_path / "data" / "other", journal_at=url) as second:
        await erase_number(desk, NUMBER, PAGE)
        await second.journal.catch_up()
        vapi.move(other.id, "ended", summary=f"Ask {WRITTEN[0]}")
        second.look(other.id)
        assert (await until(second, other.id, lambda call: call.summary is not None)).summary == "Ask …2671"


@pytest.mark.slow
async def test_what_is_said_after_it_was_erased_stays_as_it_is(desk: CallDesk) -> None:
    await erase_number(desk, NUMBER, PAGE)
    now = datetime.now(UTC)
    line = Line(key=1, speaker="customer", text="My order is 12345678.", at=now, final=True)
    call = Call(id="new", status=CallStatus.ENDED, created_at=now, summary="Order 12345678")
    await desk.journal.save(call)
    await desk.journal.save_transcript("new", [line])
    left = await desk.journal.get("new")
    assert left
    assert left.summary == call.summary
    assert [one.text for one in await desk.journal.transcript("new")] == [line.text]
