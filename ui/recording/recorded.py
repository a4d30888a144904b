"""Earshot's own recording of an ended call: replay, download, delete."""

from collections.abc import Callable

from services.domain.call import Call
from services.domain.client import PAGE
from services.domain.errors import EarshotError
from services.recording.recordings import Recordings
from ui.kit.live_box import LiveBox
from ui.kit.markup import Box, Text, set_props
from ui.kit.notice import Notice
from ui.recording.replay import Replay, download_address
from ui.words import say


class Recorded(LiveBox):
    """Hidden while there is no recording. Calls `replaying` with whether the replay is open, and `note` with the moment in
    seconds of a note to be written."""

    def __init__(self, call: Call, *, recordings: Recordings, replaying: Callable[[bool], None], note: Callable[[float], None]) -> None:
        super().__init__("section", "recorded", aria_label=say("recorded"), data_testid="recorded")
        self._call = call
        self._recordings = recordings
        self._replaying = replaying
        self._note = note
        self._replay: Replay | None = None
        self._open = self._confirming = False
        with self:
            self._notice = Notice()
            with Box(classes="recorded-head"):
                Text("h3", say("recorded"))
                Box("span", "grow")
                self._toggle = Text("button", "", "btn small", type="button", data_testid="replay-open").on("click", self._press_replay)
                self._downloads = Box("span", "downloads")
                self._delete = Text("button", "", "btn small", type="button", data_testid="recording-delete")
                self._delete.on("click", self._press_delete).on("blur", self._unconfirm)
            self._place = Box()
        self.set_visibility(False)
        self.subscribe(recordings.changed, self._on_change)
        self.refresh(call)

    def refresh(self, call: Call) -> None:
        """Updates to a changed call."""
        self._call = call
        self._on_change(call.id)

    def _on_change(self, call_id: str) -> None:
        if call_id != self._call.id:
            return
        there = not self._call.running and self._recordings.has(call_id)
        if there and not self.visible:
            self.start(self._offer_downloads(), name="find recording")
        elif not there and self._open:
            self._press_replay()
        self.set_visibility(there)
        self._show()

    async def _offer_downloads(self) -> None:
        try:
            parts = sorted(await self._recordings.sounds(self._call.id))
        except EarshotError as error:
            self._notice.show_error(error)
            return
        self._downloads.clear()
        with self._downloads:
            for part in parts:
                words = say("download") if len(parts) == 1 else say("download_part", part=str(part))
                Text("a", words, "btn small", href=download_address(self._call.id, part), download=True)

    def open_at(self, seconds: float) -> bool:
        """Opens the replay at this moment. False if there is no recording."""
        if not self.visible:
            return False
        if self._replay:
            self._replay.seek(seconds)
        else:
            self._turn(start_s=seconds)
        return True

    def _press_replay(self) -> None:
        self._turn()

    def _turn(self, start_s: float = 0.0) -> None:
        self._open = not self._open
        self._place.clear()
        self._replay = None
        if self._open:
            with self._place:
                self._replay = Replay(self._call.id, start_s=start_s, on_note=self._note)
        self._replaying(self._open)
        self._show()

    async def _press_delete(self) -> None:
        if not self._confirming:
            self._confirming = True
            self._show()
            return
        self._confirming = False
        try:
            await self._recordings.delete(self._call.id, PAGE)
        except Exception as error:
            self._notice.show_error(error)

    def _unconfirm(self) -> None:
        self._confirming = False
        self._show()

    def _show(self) -> None:
        self._toggle.show(say("replay_close" if self._open else "replay_open"))
        set_props(self._toggle, aria_expanded="true" if self._open else "false")
        self._delete.show(say("delete_sure" if self._confirming else "delete"))
        self._delete.classes(replace="btn small end" if self._confirming else "btn small")
