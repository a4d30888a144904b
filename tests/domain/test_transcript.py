"""Lines out of events that come in pieces, twice, and late."""

from datetime import UTC, datetime, timedelta

from services.domain.speech import Utterance
from services.domain.transcript import Line, Transcript

TEN = datetime(2026, 9, 1, 10, tzinfo=UTC)


class Talk:
    """A transcript to which a second passes with each event."""

    def __init__(self, **bounds: int) -> None:
        self.transcript = Transcript(**bounds)
        self.now = TEN

    def say(self, text: str, *, by: str = "customer", final: bool = True, way: str = "socket", time: float | None = None) -> Line | None:
        self.now += timedelta(seconds=1)
        return self.transcript.take(Utterance(speaker=by, text=text, final=final, time=time), at=self.now, way=way)

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
