"""Earshot's own recording of an ended call: replay, download, delete."""

from collections.abc import Callable

from nicegui.events import GenericEventArguments

from services.domain.call import Call
from services.domain.client import Scope
from services.domain.errors import EarshotError
from services.recording.recordings import Recordings
from ui.kit.given import repeats
from ui.kit.markup import Box, Text
from ui.kit.notice import Notice
from ui.kit.visitor import visitor, visitor_may
from ui.recording.replay import download_address
from ui.recording.replayable import Measure, Replayable
from ui.words import say


class Recorded(Replayable):
    """Hidden while there is no recording."""

    def __init__(
        self, call: Call, *, recordings: Recordings, measured: Measure, replaying: Callable[[bool], None], note: Callable[[float], None]
    ) -> None:
        super().__init__(call, title=say("recorded"), measured=measured, replaying=replaying, note=note)
        self._recordings = recordings
        self._confirming = False
        self._listens, self._deletes = visitor_may(Scope.LISTEN), visitor_may(Scope.MANAGE)
        with self.head:
            self._downloads = Box("span", "downloads")
            self._delete = Text("button", "", "btn small", type="button", data_testid="recording-delete")
            self._delete.on("click", self._press_delete, args=["detail"]).on("blur", lambda: self._confirm(False))
        with self:
            self._notice = Notice()
        self._notice.move(target_index=0)
        self._confirm(False)
        self.subscribe(recordings.changed, self._on_change)
        self.refresh(call)

    def refresh(self, call: Call) -> None:
        """Updates to a changed call."""
        self._call = call
        self._on_change(call.id)

    def _on_change(self, call_id: str) -> None:
        if call_id != self._call.id:
            return
        there = not self._call.running and self._recordings.has(call_id) and self._listens
        if there and not self.visible:
            self.start(self._offer_downloads(), name="find recording")
        self.offer(there)

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

    async def _press_delete(self, event: GenericEventArguments) -> None:
        if repeats(event):
            return
        if not self._confirming:
            self._confirm(True)
            return
        self._confirm(False)
        try:
            await self._recordings.delete(self._call.id, visitor())
        except Exception as error:
            self._notice.show_error(error)

    def _confirm(self, confirming: bool) -> None:
        self._confirming = confirming
        self._delete.set_visibility(self._deletes)
        self._delete.show(say("delete_sure" if confirming else "delete"))
        self._delete.classes(replace="btn small end" if confirming else "btn small")
