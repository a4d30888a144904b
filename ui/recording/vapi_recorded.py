"""Vapi's own recording of an ended call: replay and download."""

from collections.abc import Callable

from services.domain.call import Call
from ui.kit.markup import Box, Text, set_props
from ui.recording.replay import Replay, vapis_download_address
from ui.words import say


class VapiRecorded(Box):
    """Hidden until Vapi names a recording. Calls `replaying` with whether the replay is open, and `note` with the moment in
    seconds of a note to be written."""

    def __init__(self, call: Call, *, replaying: Callable[[bool], None], note: Callable[[float], None]) -> None:
        super().__init__("section", "recorded", aria_label=say("vapi_recording"), data_testid="vapi-recorded")
        self._call = call
        self._replaying = replaying
        self._note = note
        self._replay: Replay | None = None
        self._open = False
        with self:
            with Box(classes="recorded-head"):
                Text("h3", say("vapi_recording"))
                Box("span", "grow")
                self._toggle = Text("button", "", "btn small", type="button", data_testid="vapi-replay-open").on("click", self._press)
                Text("a", say("download"), "btn small", href=vapis_download_address(call.id), download=True)
            self._place = Box()
        self.refresh(call)

    def refresh(self, call: Call) -> None:
        """Updates to a changed call."""
        self._call = call
        there = not call.running and call.recording_url is not None
        if self._open and not there:
            self._press()
        self.set_visibility(there)
        self._show()

    def open_at(self, seconds: float) -> bool:
        """Opens the replay at this moment. False if there is no recording."""
        if not self.visible:
            return False
        if self._replay:
            self._replay.seek(seconds)
        else:
            self._turn(start_s=seconds)
        return True

    def _press(self) -> None:
        self._turn()

    def _turn(self, start_s: float = 0.0) -> None:
        self._open = not self._open
        self._place.clear()
        self._replay = None
        if self._open:
            with self._place:
                self._replay = Replay(self._call.id, vapis=True, start_s=start_s, on_note=self._note)
        self._replaying(self._open)
        self._show()

    def _show(self) -> None:
        self._toggle.show(say("replay_close" if self._open else "replay_open"))
        set_props(self._toggle, aria_expanded="true" if self._open else "false")
