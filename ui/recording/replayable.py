"""A recording of an ended call, which a button replays in place."""

from collections.abc import Callable

from services.domain.call import Call
from ui.kit.live_box import LiveBox
from ui.kit.markup import Box, Text, set_props
from ui.recording.replay import Replay
from ui.words import say


class Replayable(LiveBox):
    """Shown only while there is a recording, ours or, with `vapis`, Vapi's. Calls `replaying` with whether the replay is open, and `note`
    with the moment in seconds of a note to be written. What else belongs in its first line is added to `head`."""

    def __init__(
        self, call: Call, *, title: str, vapis: bool = False, replaying: Callable[[bool], None], note: Callable[[float], None]
    ) -> None:
        prefix = "vapi-" if vapis else ""
        super().__init__("section", "recorded", aria_label=title, data_testid=f"{prefix}recorded")
        self._call = call
        self._vapis = vapis
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

    def _open(self, start_s: float) -> None:
        with self._place:
            self._replay = Replay(self._call.id, vapis=self._vapis, start_s=start_s, on_note=self._note)
        self._replaying(True)
        self._show_toggle()

    def _close(self) -> None:
        self._place.clear()
        self._replay = None
        self._replaying(False)
        self._show_toggle()

    def _show_toggle(self) -> None:
        self._toggle.show(say("replay_close" if self._replay else "replay_open"))
        set_props(self._toggle, aria_expanded="true" if self._replay else "false")
