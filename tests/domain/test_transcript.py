"""Lines out of events that come in pieces, twice, and late."""

from datetime import UTC, datetime, timedelta

import pytest

from services.domain.speech import Kind, Occurrence, Utterance
from services.domain.transcript import Line, Transcript, final_account

TEN = datetime(2026, 9, 1, 10, tzinfo=UTC)


class Talk:
    """A transcript to which a second passes with each event."""

    def __init__(self, **bounds: int) -> None:
        self.transcript = Transcript(**bounds)
        self.now = TEN

    def say(self, text: str, *, by: str = "customer", final: bool = True, way: str = "socket", time: float | None = None) -> Line | None:
        self.now += timedelta(seconds=1)
        return self.transcript.take(Utterance(speaker=by, text=text, final=final, time=time), at=self.now, way=way)

    def note(self, what: Occurrence, *, way: str = "socket") -> Line | None:
        self.now += timedelta(seconds=1)
        return self.transcript.note(what, at=self.now, way=way)

    @property
    def words(self) -> list[tuple[str, bool]]:
        return [(line.text, line.final) for line in self.transcript.lines]


def test_partials_grow_a_line_that_a_final_closes() -> None:
    talk = Talk()
    first = talk.say("Hello", final=False)
    talk.say("Hello there", final=False)
    assert talk.words == [("Hello there", False)]
    last = talk.say("Hello there.")
    assert talk.words == [("Hello there.", True)]
    assert first
    assert last
    assert (last.key, last.at) == (first.key, first.at)


def test_the_end_of_the_call_closes_what_was_open_and_last_words_take_its_place() -> None:
    talk = Talk()
    talk.say("Hello?")
    cut = talk.say("Hi, this is", by="assistant", final=False)
    assert cut
    [closed] = talk.transcript.close()
    assert (closed.key, closed.text, closed.final) == (cut.key, "Hi, this is", True)
    late = talk.say("Hi, this is Ri", by="assistant", final=False)
    last = talk.say("Hi, this is Riley.", by="assistant")
    assert late
    assert last
    assert late.key == last.key == cut.key
    assert talk.words == [("Hello?", True), ("Hi, this is Riley.", True)]
    assert talk.say("Hi, this is Riley.", by="assistant", way="webhook") is None


def test_two_who_speak_at_once_have_a_line_each() -> None:
    talk = Talk()
    talk.say("So I", final=False)
    talk.say("Yes", by="assistant", final=False)
    talk.say("So I thought", final=False)
    talk.say("Yes.", by="assistant")
    assert talk.words == [("So I thought", False), ("Yes.", True)]
    assert [line.key for line in talk.transcript.lines] == [1, 2]


def test_the_same_by_two_ways_counts_once() -> None:
    talk = Talk()
    assert talk.say("Yes, please.")
    assert talk.say("yes, please", final=False, way="webhook") is None
    assert talk.say("Yes please", way="webhook") is None
    assert talk.words == [("Yes, please.", True)]


@pytest.mark.parametrize(
    ("partial", "final"),
    [
        ("I would like to book", "I'd like to book a table."),
        ("i want two by a car", "I want to buy a car."),
        ("can you hear mee no", "Can you hear me now, please?"),
        ("the wether is", "The weather is nice."),
        ("The", "The weather is nice."),
    ],
)
def test_a_late_partial_by_another_way_is_the_line_that_is_there(partial: str, final: str) -> None:
    talk = Talk()
    talk.say(final)
    assert talk.say(partial, final=False, way="webhook") is None
    assert talk.say(final, way="webhook") is None
    assert talk.words == [(final, True)]


def test_a_partial_that_its_final_text_overtook_is_dropped() -> None:
    talk = Talk()
    talk.say("Something else was understood first.", time=1000, way="webhook")
    assert talk.say("Some thin else", final=False, time=900, way="webhook") is None
    assert talk.say("Next", final=False, time=1100, way="webhook")
    assert talk.words == [("Something else was understood first.", True), ("Next", False)]


def test_a_new_sentence_is_shown_at_once_whichever_way_it_comes() -> None:
    talk = Talk()
    talk.say("I want to buy a car.")
    assert talk.say("My name is Dana", final=False, way="webhook")
    assert [text for text, _ in talk.words] == ["I want to buy a car.", "My name is Dana"]


def test_a_tool_is_one_line_that_its_result_closes() -> None:
    talk = Talk()
    called = Occurrence(kind=Kind.TOOL, name="book", text='{"day":"Mon"}', id="t1")
    line = talk.note(called)
    assert line
    assert (line.kind, line.name, line.text, line.result, line.final) == (Kind.TOOL, "book", '{"day":"Mon"}', None, False)
    assert talk.note(called, way="webhook") is None
    talk.say("One moment.", by="assistant")
    closed = talk.note(Occurrence(kind=Kind.TOOL, result="Booked.", id="t1"))
    assert closed
    assert (closed.key, closed.name, closed.text, closed.result, closed.final) == (line.key, "book", '{"day":"Mon"}', "Booked.", True)
    assert talk.note(Occurrence(kind=Kind.TOOL, result="Booked.", id="t1"), way="webhook") is None
    assert len(talk.transcript.lines) == 2


def test_a_tool_without_a_result_is_final_when_the_call_is_over() -> None:
    talk = Talk()
    talk.note(Occurrence(kind=Kind.TOOL, name="book", id="t1"))
    [closed] = talk.transcript.close()
    assert closed.final


def test_only_a_change_of_assistant_is_a_line() -> None:
    talk = Talk()
    for name in ("Riley", "Riley", "Sam", "Sam", "Riley"):
        talk.note(Occurrence(kind=Kind.ASSISTANT, name=name))
    assert [line.name for line in talk.transcript.lines] == ["Sam", "Riley"]


def test_an_interruption_that_comes_both_ways_counts_once() -> None:
    talk = Talk()
    for way in ("socket", "webhook", "socket"):
        talk.note(Occurrence(kind=Kind.INTERRUPTION), way=way)
    assert [line.speaker for line in talk.transcript.lines] == ["customer", "customer"]


def test_vapis_text_wins_where_it_has_any_and_what_it_lacks_stays() -> None:
    talk, vapis = Talk(), Talk()
    talk.say("Hello this is a long line that was heard", by="assistant")
    talk.note(Occurrence(kind=Kind.INTERRUPTION))
    talk.say("Wait")
    for words in ("Hello.", "Wait."):
        vapis.say(words)
        vapis.now += timedelta(seconds=1)
    whole = final_account(vapis.transcript.lines, talk.transcript.lines)
    assert [(line.key, line.kind, line.text) for line in whole] == [
        (1, Kind.SPEECH, "Hello."),
        (2, Kind.INTERRUPTION, ""),
        (3, Kind.SPEECH, "Wait."),
    ]
    assert final_account((), talk.transcript.lines) == talk.transcript.lines
    assert final_account(vapis.transcript.lines, ()) == vapis.transcript.lines


def test_who_says_the_same_again_is_heard_again() -> None:
    talk = Talk()
    for way in ("socket", "webhook", "socket", "webhook"):
        talk.say("Yes.", way=way)
    assert talk.words == [("Yes.", True), ("Yes.", True)]


def test_a_message_that_is_delivered_twice_counts_once() -> None:
    talk = Talk()
    talk.say("Yes.", way="webhook", time=1000)
    talk.say("Yes.", way="webhook", time=1000)
    talk.say("Yes.", way="webhook", time=2000)
    assert len(talk.words) == 2


def test_the_same_long_after_is_another_line() -> None:
    talk = Talk()
    talk.say("Yes.")
    talk.now += timedelta(minutes=2)
    talk.say("Yes.", way="webhook")
    assert len(talk.words) == 2


def test_an_endless_call_keeps_its_latest_lines() -> None:
    talk = Talk(most=3)
    for number in range(10):
        talk.say(f"Line {number}.")
    assert [text for text, _ in talk.words] == ["Line 7.", "Line 8.", "Line 9."]


def test_what_nobody_said_is_no_line() -> None:
    talk = Talk()
    assert talk.say("  ") is None
    assert talk.say("You are Riley.", by="system") is None
    assert talk.say("who?", by="") is None
    assert talk.words == []


def test_a_final_that_is_the_beginning_of_an_earlier_one_is_a_line_of_its_own() -> None:
    talk = Talk()
    talk.say("Yes, I am here.")
    talk.say("Yes.", way="webhook")
    assert talk.words == [("Yes, I am here.", True), ("Yes.", True)]
