"""Vapi's own recording of an ended call: replay and download."""

from collections.abc import Callable

from services.domain.call import Call
from ui.kit.markup import Box, Text, set_props
from ui.recording.replay import Replay, vapis_download_address
from ui.words import say


class VapiRecorded(Box):
    """Hidden until Vapi names a recording. Calls `replaying` with whether the replay is open."""

    def __init__(self, call: Call, *, replaying: Callable[[bool], None]) -> None:
        super().__init__("section", "recorded", aria_label=say("vapi_recording"), data_testid="vapi-recorded")
        self._call = call
        self._replaying = replaying
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

    def _press(self) -> None:
        self._open = not self._open
        self._place.clear()
        if self._open:
            with self._place:
                Replay(self._call.id, vapis=True)
        self._replaying(self._open)
        self._show()

    def _show(self) -> None:
        self._toggle.show(say("replay_close" if self._open else "replay_open"))
        set_props(self._toggle, aria_expanded="true" if self._open else "false")
