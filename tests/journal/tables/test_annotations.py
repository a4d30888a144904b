"""Notes, tags and dispositions: kept, searched, limited, and gone with their call."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.domain.annotation import MOST_NOTES, MOST_TAGS, Annotations, Label, Note
from services.domain.call import Call, CallStatus
from services.domain.errors import CallNotFound, RequestError
from services.domain.transcript import Line
from services.journal import AuditRow, Journal
from services.journal.tables.pruning import KEPT
from tests.journal.conftest import Clock, execute

AT = datetime(2026, 9, 1, 10, tzinfo=UTC)
CALL = Call(id="one", status=CallStatus.ENDED, to="+14155552671", created_at=AT)
ROW = AuditRow(at=AT, who="dana", action="note", call_id="one", outcome="done")


def a_note(text: str = "Asks for the Price", moment_s: float | None = None) -> Note:
    return Note(id=0, at=AT, by="dana", text=text, moment_s=moment_s)


def label(text: str) -> Label:
    return Label(text=text, by="dana", at=AT)


async def found(journal: Journal, search: str) -> list[str]:
    return [call.id for call in await journal.calls(search=search)]


@pytest.mark.slow
async def test_what_is_written_is_kept_with_who_and_when(journal: Journal) -> None:
    await journal.save(CALL)
    first = await journal.annotations.add_note(CALL, a_note(moment_s=83.25), ROW)
    second = await journal.annotations.add_note(CALL, a_note("On the whole"), ROW)
    assert await journal.annotations.add_tag(CALL, label("pricing"), ROW)
    assert not await journal.annotations.add_tag(CALL, label("Pricing"), ROW)
    assert await journal.annotations.dispose(CALL, label("sold"), ROW)
    assert await journal.annotations.dispose(CALL, label("call again"), ROW)
    assert not await journal.annotations.dispose(CALL, label("call again"), ROW)
    expected = Annotations(notes=(first, second), tags=(label("pricing"),), disposition=label("call again"))
    assert (first, second) == (replace(a_note(moment_s=83.25), id=first.id), replace(a_note("On the whole"), id=second.id))
    assert await journal.annotations.of("one") == expected
    assert await journal.annotations.among(["one", "two"]) == {"one": expected}
    assert len(await journal.audit(call_id="one")) == 5


@pytest.mark.slow
async def test_a_search_finds_it_until_it_is_deleted_also_after_a_transcript(journal: Journal) -> None:
    await journal.save(CALL)
    note = await journal.annotations.add_note(CALL, a_note(), ROW)
    await journal.annotations.add_tag(CALL, label("Größe"), ROW)
    await journal.annotations.dispose(CALL, label("Sold out"), ROW)
    for search in ("the price", "PRICE", "größ", "d OUT"):
        assert await found(journal, search) == ["one"], search
    await journal.save_transcript("one", [Line(key=1, speaker="customer", text="Fridays only", at=AT, final=True)])
    for search in ("price", "fridays"):
        assert await found(journal, search) == ["one"], search
    assert await journal.annotations.delete_note(CALL, note.id, ROW)
    assert not await journal.annotations.delete_note(CALL, note.id, ROW)
    assert await journal.annotations.remove_tag(CALL, "GRÖSSE", ROW)
    assert not await journal.annotations.remove_tag(CALL, "größe", ROW)
    assert await journal.annotations.dispose(CALL, None, ROW)
    assert [await found(journal, search) for search in ("price", "größ", "sold", "fridays")] == [[], [], [], ["one"]]


async def test_a_note_on_a_running_call_is_found_during_and_after_it(journal: Journal) -> None:
    running = replace(CALL, status=CallStatus.IN_PROGRESS)
    await journal.save(running)
    await journal.annotations.add_note(running, a_note(), ROW)
    assert await found(journal, "price") == ["one"]
    await journal.save(CALL)
    assert await found(journal, "price") == ["one"]


async def test_calls_are_filtered_by_tag_and_disposition(journal: Journal) -> None:
    for name in ("one", "two", "three"):
        await journal.save(replace(CALL, id=name))
    await journal.annotations.add_tag(CALL, label("vip"), ROW)
    await journal.annotations.add_tag(replace(CALL, id="two"), label("vip"), ROW)
    await journal.annotations.dispose(replace(CALL, id="two"), label("sold"), ROW)
    assert {call.id for call in await journal.calls(tags=["vip", "other"])} == {"one", "two"}
    assert [call.id for call in await journal.calls(tags=["vip"], dispositions=["sold"])] == ["two"]
    assert await journal.calls(dispositions=["vip"]) == []


async def test_a_call_that_only_vapi_knew_is_in_the_journal_from_then_on(journal: Journal) -> None:
    await journal.annotations.add_note(CALL, a_note(), ROW)
    assert await found(journal, "price") == ["one"]


async def test_a_call_of_unknown_outcome_takes_none(journal: Journal) -> None:
    unknown = replace(CALL, id="unknown-tag", tag="tag", status=CallStatus.UNKNOWN)
    await journal.save(unknown)
    with pytest.raises(CallNotFound, match="still looking"):
        await journal.annotations.add_note(unknown, a_note(), ROW)


@pytest.mark.slow
async def test_there_is_an_end_to_notes_and_tags(journal: Journal) -> None:
    for number in range(MOST_NOTES):
        await journal.annotations.add_note(CALL, a_note(str(number)), ROW)
    for number in range(MOST_TAGS):
        await journal.annotations.add_tag(CALL, label(str(number)), ROW)
    with pytest.raises(RequestError):
        await journal.annotations.add_note(CALL, a_note(), ROW)
    with pytest.raises(RequestError):
        await journal.annotations.add_tag(CALL, label("more"), ROW)


@pytest.mark.slow
async def test_it_goes_with_its_call(journal: Journal, url: str, clock: Clock) -> None:
    await journal.save(CALL)
    await journal.annotations.add_note(CALL, a_note(), ROW)
    await journal.annotations.add_tag(CALL, label("vip"), ROW)
    clock.pass_(KEPT)
    await journal.forget_old()
    for table in ("notes", "labels", "calls"):
        assert await execute(url, f"SELECT * FROM earshot_{table}") == [], table  # noqa: S608
