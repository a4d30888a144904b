"""The switch that records a call while it runs, and what has to be known of that."""

from services.domain.call import Call
from services.domain.client import PAGE
from services.recording.recordings import Recordings
from ui.kit.living import Living
from ui.kit.markup import Box, Text, set_props
from ui.kit.notice import Notice
from ui.words import say


class RecordSwitch(Living):
    """Stands among the controls of the sound. What went wrong, `notice` tells."""

    def __init__(self, call: Call, *, recordings: Recordings, notice: Notice) -> None:
        super().__init__("button", "btn record", type="button", role="switch", data_testid="record")
        self._call_id = call.id
        self._recordings = recordings
        self._notice = notice
        self._busy = False
        with self:
            Box("i", "record-dot")
            self._says = Text("span")
        self.on("click", self._toggle)
        self.hear(recordings.changed, self._take)
        self._show()

    def _take(self, call_id: str) -> None:
        if call_id == self._call_id:
            self._show()

    def _show(self) -> None:
        on = self._recordings.recording(self._call_id)
        set_props(self, aria_checked="true" if on else "false", disabled=self._busy)
        self._says.show(say("recording" if on else "record"))

    async def _toggle(self) -> None:
        if self._busy:
            return
        self._busy = True
        self._show()
        try:
            if self._recordings.recording(self._call_id):
                await self._recordings.stop(self._call_id, PAGE)
            else:
                await self._recordings.start(self._call_id, PAGE)
        except Exception as error:
            if not self.is_deleted:
                self._notice.tell_error(error)
        finally:
            self._busy = False
            if not self.is_deleted:
                self._show()


class RecordingNote(Living):
    """What has to be known of recording this call: that it may need consent, that it is going on, or what is wrong with it."""

    def __init__(self, call: Call, *, recordings: Recordings) -> None:
        super().__init__("p", "recording-note", role="status")
        self._call = call
        self._recordings = recordings
        with self:
            self._says = Text("span")
        self.hear(recordings.changed, self._take)
        self._show()

    def follow(self, call: Call) -> None:
        """Takes in that the call changed."""
        self._call = call
        self._show()

    def _take(self, call_id: str) -> None:
        if call_id == self._call.id:
            self._show()

    def _show(self) -> None:
        if problem := self._recordings.problem(self._call.id):
            self._says.show(say(f"recording_{problem}"))
        elif not self._call.running:
            self._says.show("")
        else:
            self._says.show(say("consent_recording" if self._recordings.recording(self._call.id) else "consent"))
        self.set_visibility(bool(self._says.text))
