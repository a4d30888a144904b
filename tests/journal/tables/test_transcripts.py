"""What was said stays readable and can be searched, and calls are found by why they ended; in journals of older versions too."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from services.domain.call import Call, CallStatus
from services.domain.speech import Kind
from services.domain.transcript import Line
from services.journal import Journal, opening
from services.journal.database.codec import dump
from services.journal.database.migrations import STEPS, migrate
from tests.journal.conftest import Open, execute

TEN = datetime(2026, 9, 1, 10, tzinfo=UTC)


def a_call(number: int, **fields: object) -> Call:
    return Call(id=f"call-{number}", status=CallStatus.ENDED, created_at=TEN + timedelta(minutes=number), **fields)  # type: ignore[arg-type]


def lines(*texts: str) -> list[Line]:
    return [Line(key=key, speaker="customer", text=text, at=TEN, final=True) for key, text in enumerate(texts, 1)]


async def test_a_transcript_is_found_again_and_by_its_words(journal: Journal) -> None:
    for number in range(3):
        await journal.save(a_call(number, summary="They talked."))
    await journal.save_transcript("call-1", lines("Grüß Gott!", "100 % sure\0 \ud83d"))
    assert await journal.transcript("call-0") == ()
    assert [line.text for line in await journal.transcript("call-1")] == ["Grüß Gott!", "100 % sure "]
    for search in ("GRÜSS", "100 %", "god"):
        found = [call.id for call in await journal.calls(search=search)]
        assert found == (["call-1"] if search != "god" else []), search


async def test_tools_and_names_are_found_again(journal: Journal) -> None:
    kept = (
        Line(key=1, speaker="assistant", text='{"day":"Mon"}', at=TEN, final=True, kind=Kind.TOOL, name="book", result="Booked."),
        Line(key=2, speaker="customer", text="", at=TEN, final=True, kind=Kind.INTERRUPTION),
        Line(key=3, speaker="assistant", text="Done.", at=TEN, final=True, name="Riley"),
    )
    await journal.save(a_call(1))
    await journal.save_transcript("call-1", kept)
    assert await journal.transcript("call-1") == kept


async def test_the_last_of_two_transcripts_stays_and_a_later_read_takes_nothing_away(journal: Journal) -> None:
    await journal.save(a_call(1))
    await journal.save_transcript("call-1", lines("half"))
    await journal.save_transcript("call-1", lines("half", "and half"))
    await journal.save(a_call(1, cost=0.07))
    assert len(await journal.transcript("call-1")) == 2
    assert [call.cost for call in await journal.calls(search="and half")] == [0.07]


@pytest.mark.parametrize(
    ("ended", "found"),
    [
        (lambda reason: reason.startswith("customer"), ["call-3", "call-1"]),
        (lambda reason: reason == "", ["call-4"]),
        (lambda _: False, []),
    ],
)
async def test_calls_are_found_by_why_they_ended(journal: Journal, ended: Callable[[str], bool], found: list[str]) -> None:
    for number, reason in enumerate(["silence-timed-out", "customer-busy", "voicemail", "customer-ended-call", None]):
        await journal.save(a_call(number, ended_reason=reason))
    await journal.save(Call(id="running", status=CallStatus.RINGING, created_at=TEN))
    assert [call.id for call in await journal.calls(ended=ended)] == found


@pytest.mark.parametrize("starts_empty", [True])
async def test_calls_of_an_older_journal_are_found_by_why_they_ended(url: str, open_journal: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "migrate", partial(migrate, steps=STEPS[:1]))
    await (await open_journal()).aclose()
    monkeypatch.undo()
    for call in (a_call(1, ended_reason="customer-busy"), a_call(2)):
        values = f"'{call.id}', 'ended', 1, '', '{dump(call)}'"
        await execute(url, f"INSERT INTO earshot_calls (id, status, created_at, words, data) VALUES ({values})")  # noqa: S608
    journal = await open_journal()
    assert [call.id for call in await journal.calls(ended=lambda reason: reason == "customer-busy")] == ["call-1"]
    assert await journal.transcript("call-1") == ()
