"""The live transcripts of all calls, kept in memory for a while after the end."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.domain.speech import SpeechChange, SpeechEvent, Utterance
from services.domain.transcript import Line, Transcript
from services.support.recent import remember
from services.support.signals import Signal

_SPEAKERS = ("customer", "assistant")
_KEPT = 500  # calls; a thousand lines each would be some 150 MB


@dataclass(slots=True)
class _Talk:
    transcript: Transcript = field(default_factory=Transcript)
    speaking: frozenset[str] = frozenset()


class Transcripts:
    """The transcripts of the latest calls, under each call's `current_id`.

    `changed` emits a call's id and its new or longer line. `speech_changed` emits the id of a call in which someone starts or stops
    speaking. `rewritten` emits the id of an ended call whose transcript was replaced by Vapi's own.
    """

    def __init__(self, current_id: Callable[[str], str] = lambda call_id: call_id) -> None:
        self.changed: Signal[tuple[str, Line]] = Signal()
        self.speech_changed: Signal[str] = Signal()
        self.rewritten: Signal[str] = Signal()
        self._current_id = current_id
        self._talks: OrderedDict[str, _Talk] = OrderedDict()
        self._erased: dict[str, None] = {}

    def of(self, call_id: str) -> tuple[Line, ...]:
        """The lines heard in a call, oldest first; empty if nobody listened or it was long ago."""
        talk = self._talks.get(self._current_id(call_id))
        return talk.transcript.lines if talk else ()

    def speaking(self, call_id: str) -> frozenset[str]:
        """Who speaks now: "customer", "assistant", both or neither."""
        talk = self._talks.get(self._current_id(call_id))
        return talk.speaking if talk else frozenset()

    def take(self, call_id: str, event: SpeechEvent, *, way: str = "socket") -> None:
        """Adds an event. `way` names where it came from, because the same event may come both by socket and by webhook."""
        call_id = self._current_id(call_id)
        if call_id in self._erased:
            return
        talk = self._talk(call_id)
        if isinstance(event, SpeechChange):
            self._note_speech(call_id, talk, event)
            return
        now = datetime.now(UTC)
        heard = talk.transcript
        line = heard.take(event, at=now, way=way) if isinstance(event, Utterance) else heard.note(event, at=now, way=way)
        if line:
            self.changed.emit((call_id, line))

    def rename(self, unknown_id: str, call_id: str) -> None:
        """Moves a transcript to the call's new id."""
        if talk := self._talks.pop(unknown_id, None):
            self._talks.setdefault(call_id, talk)

    def erase(self, call_id: str) -> None:
        """Forgets what was said in an ended call, and what may still come of it."""
        if call_id not in self._erased:
            remember(self._erased, call_id, None, most=_KEPT)
            self._talks.pop(call_id, None)
            self.rewritten.emit(call_id)

    def close(self, call_id: str) -> None:
        """Closes the transcript of an ended call: open lines become final, and nobody is speaking."""
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
