"""A recording of an ended call, which a button replays in place."""

import logging
from collections.abc import Awaitable, Callable

from services.domain.call import Call
from services.domain.errors import EarshotError
from services.measures.measured import Measured
from ui.kit.live_box import LiveBox
from ui.kit.markup import Box, Text, set_props
from ui.recording.replay import Replay
from ui.words import say

log = logging.getLogger(__name__)

Measure = Callable[[str], Awaitable[Measured | None]]
"""What was measured of the call with an id. Raises EarshotError."""


class Replayable(LiveBox):
    """Shown only while there is a recording, ours or, with `vapis`, Vapi's. Calls `replaying` with whether the replay is open, and `note`
    with the moment in seconds of a note to be written. What else belongs in its first line is added to `head`."""

    def __init__(
        self,
        call: Call,
        *,
        title: str,
        vapis: bool = False,
        measured: Measure,
        replaying: Callable[[bool], None],
        note: Callable[[float], None],
    ) -> None:
        prefix = "vapi-" if vapis else ""
        super().__init__("section", "recorded", aria_label=title, data_testid=f"{prefix}recorded")
        self._call = call
        self._vapis = vapis
        self._measured = measured
        self._replaying = replaying
        self._note = note
        self._replay: Replay | None = None
        with self:
            with Box(classes="recorded-head") as self.head:
                Text("h3", title)
                Box("span", "grow")
                self._toggle = Text("button", "", "btn small", type="button", data_testid=f"{prefix}replay-open")
                self._toggle.on("click", lambda: self._close() if self._replay else self._open(0.0))
            self._place = Box()
        self.set_visibility(False)
        self._show_toggle()

    def offer(self, there: bool) -> None:
        """Shows whether there is a recording, and closes its replay if there is none any more."""
        if self._replay and not there:
            self._close()
        self.set_visibility(there)

    def open_at(self, seconds: float) -> bool:
        """Opens the replay at this moment. False if there is no recording."""
        if not self.visible:
            return False
        if self._replay:
            self._replay.seek(seconds)
        else:
            self._open(seconds)
        return True

    def open_at_time(self, unix_s: float) -> bool:
        """The same for a time, in seconds since 1970."""
        if not self.visible:
            return False
        if self._replay:
            self._replay.seek_time(unix_s)
        else:
            self._open(0.0, unix_s)
        return True

    def _open(self, start_s: float, start_unix_s: float | None = None) -> None:
        with self._place:
            self._replay = Replay(self._call.id, vapis=self._vapis, start_s=start_s, start_unix_s=start_unix_s, on_note=self._note)
        self.start(self._mark(self._replay), name="read measures")
        self._replaying(True)
        self._show_toggle()

    async def _mark(self, replay: Replay) -> None:
        try:
            measured = await self._measured(self._call.id)
        except EarshotError as error:
            log.warning("could not read what was measured of a call (%s)", error.code)
            return
        if measured and not replay.is_deleted:
            replay.mark_turns(measured)

    def _close(self) -> None:
        self._place.clear()
        self._replay = None
        self._replaying(False)
        self._show_toggle()

    def _show_toggle(self) -> None:
        self._toggle.show(say("replay_close" if self._replay else "replay_open"))
        set_props(self._toggle, aria_expanded="true" if self._replay else "false")
