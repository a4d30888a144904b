"""What is said in all calls: heard live, told line by line, and remembered for a while after the end."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.domain.speech import SpeechChange, SpeechEvent
from services.domain.transcript import Line, Transcript
from services.support.signals import Signal

_SPEAKERS = ("customer", "assistant")
_KEPT = 500  # calls; a thousand lines each would be some 150 MB


@dataclass(slots=True)
class _Talk:
    transcript: Transcript = field(default_factory=Transcript)
    speaking: frozenset[str] = frozenset()


class Transcripts:
    """The transcripts of the latest calls, under whichever id each has by now, which `current_id` says.

    `changed` tells a call's id and its line that is new or has grown, `speech_changed` the id of a call in which someone begins or stops,
    `rewritten` the id of a call that has ended and of which Vapi has told more than was heard.
    """

    def __init__(self, current_id: Callable[[str], str] = lambda call_id: call_id) -> None:
        self.changed: Signal[tuple[str, Line]] = Signal()
        self.speech_changed: Signal[str] = Signal()
        self.rewritten: Signal[str] = Signal()
        self._current_id = current_id
        self._talks: OrderedDict[str, _Talk] = OrderedDict()

    def of(self, call_id: str) -> tuple[Line, ...]:
        """What was heard of a call, oldest first; nothing where it was not heard, or long ago."""
        talk = self._talks.get(self._current_id(call_id))
        return talk.transcript.lines if talk else ()

    def speaking(self, call_id: str) -> frozenset[str]:
        """Who speaks now: "customer", "assistant", both or neither."""
        talk = self._talks.get(self._current_id(call_id))
        return talk.speaking if talk else frozenset()

    def take(self, call_id: str, event: SpeechEvent, *, way: str = "socket") -> None:
        """Takes in an event. `way` names where it came from, because the same event may come both by socket and by webhook."""
        call_id = self._current_id(call_id)
        talk = self._talk(call_id)
        if isinstance(event, SpeechChange):
            self._note_speech(call_id, talk, event)
        elif line := talk.transcript.take(event, at=datetime.now(UTC), way=way):
            self.changed.emit((call_id, line))

    def rename(self, unknown_id: str, call_id: str) -> None:
        """A call goes by another id from now on."""
        if talk := self._talks.pop(unknown_id, None):
            self._talks.setdefault(call_id, talk)

    def fall_silent(self, call_id: str) -> None:
        """The call has ended, and nobody speaks any more."""
        if talk := self._talks.get(call_id):
            for line in talk.transcript.close():
                self.changed.emit((call_id, line))
            if talk.speaking:
                talk.speaking = frozenset()
                self.speech_changed.emit(call_id)

    def _talk(self, call_id: str) -> _Talk:
        talk = self._talks.setdefault(call_id, _Talk())
        self._talks.move_to_end(call_id)
        if len(self._talks) > _KEPT:
            self._talks.popitem(last=False)
        return talk

    def _note_speech(self, call_id: str, talk: _Talk, change: SpeechChange) -> None:
        if change.speaker not in _SPEAKERS:
            return
        speaking = talk.speaking | {change.speaker} if change.started else talk.speaking - {change.speaker}
        if speaking != talk.speaking:
            talk.speaking = speaking
            self.speech_changed.emit(call_id)
