"""The recording made here of a call that is over: to replay, to save, to delete."""

from collections.abc import Callable

from services.domain.call import Call
from services.domain.client import PAGE
from services.domain.errors import EarshotError
from services.recording.recordings import Recordings
from ui.kit.living import Living
from ui.kit.markup import Box, Text, set_props
from ui.kit.notice import Notice
from ui.recording.replay import Replay, download_address
from ui.words import say


class Recorded(Living):
    """The recording made here of a call that is over; not there while there is none. `replaying` hears whether it is being replayed."""

    def __init__(self, call: Call, *, recordings: Recordings, replaying: Callable[[bool], None]) -> None:
        super().__init__("section", "recorded", aria_label=say("recorded"), data_testid="recorded")
        self._call = call
        self._recordings = recordings
        self._replaying = replaying
        self._open = self._sure = False
        with self:
            self._notice = Notice()
            with Box(classes="recorded-head"):
                Text("h3", say("recorded"))
                Box("span", "grow")
                self._toggle = Text("button", "", "btn small", type="button", data_testid="replay-open").on("click", self._press_replay)
                self._downloads = Box("span", "downloads")
                self._delete = Text("button", "", "btn small", type="button", data_testid="recording-delete")
                self._delete.on("click", self._press_delete).on("blur", self._calm_down)
            self._place = Box()
        self.set_visibility(False)
        self.hear(recordings.changed, self._take)
        self.follow(call)

    def follow(self, call: Call) -> None:
        """Takes in that the call changed."""
        self._call = call
        self._take(call.id)

    def _take(self, call_id: str) -> None:
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
            recording = await self._recordings.get(self._call.id)
        except EarshotError as error:
            self._notice.tell_error(error)
            return
        self._downloads.clear()
        parts = len(recording.parts) if recording else 0
        with self._downloads:
            for part in range(1, parts + 1):
                words = say("download") if parts == 1 else say("download_part", part=str(part))
                Text("a", words, "btn small", href=download_address(self._call.id, part), download=True)

    def _press_replay(self) -> None:
        self._open = not self._open
        self._place.clear()
        if self._open:
            with self._place:
                Replay(self._call.id)
        self._replaying(self._open)
        self._show()

    async def _press_delete(self) -> None:
        if not self._sure:
            self._sure = True
            self._show()
            return
        self._sure = False
        try:
            await self._recordings.delete(self._call.id, PAGE)
        except Exception as error:
            self._notice.tell_error(error)

    def _calm_down(self) -> None:
        self._sure = False
        self._show()

    def _show(self) -> None:
        self._toggle.show(say("replay_close" if self._open else "replay_open"))
        set_props(self._toggle, aria_expanded="true" if self._open else "false")
        self._delete.show(say("delete_sure" if self._sure else "delete"))
        self._delete.classes(replace="btn small end" if self._sure else "btn small")
