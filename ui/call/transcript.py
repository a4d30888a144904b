"""The live transcript of a call: the Python side of ui/call/transcript.js, and the source of its lines."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from nicegui.element import Element

from services.desk.desk import CallDesk
from services.domain.alert import Alert
from services.domain.call import Call
from services.domain.errors import EarshotError
from services.domain.speech import Kind
from services.domain.transcript import Line
from ui.call.chips import Chip, chip
from ui.call.marks import mark_of
from ui.kit.live_box import Batch, LiveBox
from ui.kit.markup import set_props
from ui.kit.notice import Notice
from ui.kit.times import FORMATS, milliseconds
from ui.words import say
from ui.words.turns import SaidTurn, said_turns

log = logging.getLogger(__name__)

Plain = dict[str, Any]
"""A line as transcript.js has it."""


class Bubbles(Element, component="transcript.js", dependencies=[FORMATS, "../kit/turns.js"]):
    """Speech as chat bubbles and what happens between as chips, to copy and download. Times count from `since`, the call's answer.

    `actions` are shown where they happened, and are not part of what is copied: the customer did not hear a whisper.
    """

    def __init__(self, lines: Iterable[Plain], *, actions: Iterable[Chip], since: datetime | None, empty: str, file: str) -> None:
        super().__init__()
        words = {key: say(name) for key, name in _WORDS.items()}
        set_props(self, initial=list(lines), actions=list(actions), words=words, file=file)
        self.show(since=since, empty=empty)

    def show(self, *, since: datetime | None, empty: str) -> None:
        set_props(self, since=milliseconds(since), empty=empty)

    def put(self, lines: Iterable[Plain]) -> None:
        """Adds lines, or replaces those with the same keys."""
        self.run_method("put", list(lines))

    def act(self, actions: Iterable[Chip]) -> None:
        """Shows these actions, oldest first, instead of those shown before."""
        self.run_method("act", list(actions))

    def measure(self, turns: list[SaidTurn]) -> None:
        """Says beside the lines what was measured of their turns."""
        set_props(self, turns=turns)

    def replace(self, lines: Iterable[Plain]) -> None:
        """Shows these lines instead of all others."""
        self.run_method("replace", list(lines))


class Transcript(LiveBox):
    """The transcript of one call: live for an active call, from the desk for an ended one."""

    def __init__(self, call: Call, *, desk: CallDesk) -> None:
        super().__init__("section", "transcript", aria_label=say("transcript"), data_testid="transcript")
        self._call = call
        self._desk = desk
        self._reading = not call.running
        lines = self._kept = desk.transcripts.of(call.id)
        with self:
            self._notice = Notice()
            self._bubbles = Bubbles(
                self._plain(lines), actions=self._chips(), since=call.started_at, empty=self._empty(), file=_file_name(call)
            )
        self._batch = Batch[int, Line](self, lambda lines: self._bubbles.put(self._plain(lines.values())))
        self._actions = Batch[str, None](self, lambda _: self._bubbles.act(self._chips()))
        self.subscribe(desk.timelines.changed, self._on_action)
        self.subscribe(desk.transcripts.changed, self._on_line)
        self.subscribe(desk.transcripts.rewritten, self._on_rewrite)
        self.subscribe(desk.alerts.raised, self._on_alert)
        self._measured = Batch[str, None](self, lambda _: self._measure(), every_s=1.0)
        self.subscribe(desk.measurements.changed, self._on_figures)
        if not call.running:
            self.start(self._read(), name="read transcript")
            self._measure()

    def refresh(self, call: Call) -> None:
        """Updates to a changed call."""
        deleted = call.erasure is not None and self._call.erasure is None
        ended = not call.running and self._call.running
        self._call = call
        if deleted:
            self._bubbles.replace(())
        if ended:
            self._measure()
        self._show()

    def _on_line(self, change: tuple[str, Line]) -> None:
        call_id, line = change
        if call_id == self._call.id:
            self._batch.add(line.key, line)

    def _on_alert(self, alert: Alert) -> None:
        """Marks the lines that came before the alert."""
        if alert.call_id == self._call.id:
            for line in self._desk.transcripts.of(self._call.id):
                if mark_of(line, [alert]):
                    self._batch.add(line.key, line)

    def _plain(self, lines: Iterable[Line]) -> list[Plain]:
        alerts = self._desk.alerts.of(self._call.id)
        return [_plain(line, mark=mark_of(line, alerts) if alerts else "") for line in lines]

    def _chips(self) -> list[Chip]:
        return [chip(self._desk, entry) for entry in self._desk.timelines.of(self._call.id)]

    def _on_action(self, call_id: str) -> None:
        if call_id == self._call.id:
            self._actions.add(call_id, None)

    def _on_figures(self, call_id: str) -> None:
        """The last figures come after the end."""
        if call_id == self._call.id and not self._call.running:
            self._measured.add(call_id, None)

    def _measure(self) -> None:
        self.start(self._read_measures(), name="read measures")

    async def _read_measures(self) -> None:
        try:
            measured = await self._desk.measurements.of(self._call.id)
        except EarshotError as error:
            log.warning("could not read what was measured of a call (%s)", error.code)
            return
        self._bubbles.measure(said_turns(measured) if measured and not self._call.erasure else [])

    def _on_rewrite(self, call_id: str) -> None:
        if call_id == self._call.id:
            self.start(self._read(), name="read transcript")

    async def _read(self) -> None:
        """Loads the stored transcript."""
        try:
            await self._desk.alerts.load([self._call.id])
            lines = await self._desk.transcript(self._call.id)
        except EarshotError as error:
            self._notice.show_error(error)
            lines = ()
        if lines and lines != self._kept and not self._call.erasure:
            self._kept = lines
            self._bubbles.replace(self._plain(lines))
        self._reading = False
        self._show()

    def _show(self) -> None:
        self._bubbles.show(since=self._call.started_at, empty=self._empty())

    def _empty(self) -> str:
        if self._reading:
            return say("transcript_loading")
        if not self._call.running:
            return say("transcript_none" if self._call.answered else "transcript_not_answered")
        return say("transcript_silent" if self._call.answered else "transcript_waits")


_WORDS = {
    "title": "transcript",
    "customer": "customer",
    "assistant": "assistant",
    "speaking": "speaking",
    f"between_{Kind.TOOL}": "used_tool",
    f"between_{Kind.ASSISTANT}": "took_over",
    f"between_{Kind.NODE}": "moved_to_node",
    f"between_{Kind.INTERRUPTION}": "interrupted",
    "newer": "new_messages",
    "copy": "copy",
    "copied": "copied",
    "download": "download",
}


def _plain(line: Line, *, mark: str) -> Plain:
    return {
        "key": line.key,
        "kind": line.kind.value,
        "speaker": line.speaker,
        "name": line.name,
        "text": line.text,
        "result": line.result,
        "at": milliseconds(line.at),
        "final": line.final,
        "mark": mark,
    }


def _file_name(call: Call) -> str:
    day = f"{call.created_at:%Y-%m-%d}" if call.created_at else "call"
    return f"transcript {day} {(call.to or call.id).removeprefix('+')}.txt"
