"""What is said in all calls: heard live, told line by line, and remembered for a while after the end."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.domain.transcript import Line, Transcript
from services.support.signals import Signal

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

    def take(self, call_id: str, event: Mapping[str, str | float], *, way: str = "socket") -> None:
        """Takes in an event (`services.vapi.listen_events.Event`) that came by `way`; what is not about speech changes nothing."""
        if event.get("type") not in ("transcript", "speech-update"):
            return
        call_id = self._current_id(call_id)
        talk = self._talk(call_id)
        if event["type"] == "speech-update":
            self._hear(call_id, talk, str(event.get("speaker", "")), started=event.get("status") == "started")
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

    def _hear(self, call_id: str, talk: _Talk, speaker: str, *, started: bool) -> None:
        if not speaker:
            return
        speaking = talk.speaking | {speaker} if started else talk.speaking - {speaker}
        if speaking != talk.speaking:
            talk.speaking = speaking
            self.speech_changed.emit(call_id)
