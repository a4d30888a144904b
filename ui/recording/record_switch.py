"""The switch that records an active call, and the note on consent and problems."""

from nicegui.events import GenericEventArguments

from services.domain.call import Call
from services.domain.consent import MayRecord
from services.recording.recordings import Recordings
from ui.kit.given import repeats
from ui.kit.live_box import LiveBox
from ui.kit.markup import Box, Text, set_props
from ui.kit.notice import Notice
from ui.kit.times import CallClock
from ui.kit.visitor import visitor
from ui.words import say

_NOTES = {MayRecord.YES: "consent", MayRecord.IF_AGREED: "consent_not_agreed", MayRecord.NO: "consent_forbidden"}


class RecordSwitch(LiveBox):
    """One of the sound controls: red, with the time since the first recorded sound, while it is on. Errors are shown in `notice`."""

    def __init__(self, call: Call, *, recordings: Recordings, notice: Notice) -> None:
        super().__init__("button", "btn record", type="button", role="switch", data_testid="record")
        self._call = call
        self._call_id = call.id
        self._asking = False
        self._recordings = recordings
        self._notice = notice
        self._busy = False
        with self:
            Box("i", "record-dot")
            self._label = Text("span")
            with Box("span", "recorded-for", aria_hidden="true"):  # a name that changes every second would be read out
                self._clock = CallClock()
        self.on("click", self._toggle, args=["detail"])
        self.on("blur", self._unask)
        self.subscribe(recordings.changed, self._on_change)
        self._show()

    def _on_change(self, call_id: str) -> None:
        if call_id == self._call_id:
            self._show()

    def _show(self) -> None:
        on = self._recordings.recording(self._call_id)
        never = not on and self._recordings.may_record(self._call) is MayRecord.NO
        set_props(self, aria_checked="true" if on else "false", disabled=self._busy or never)
        self._label.show(say("recording" if on else "record_if_agreed" if self._asking else "record"))
        self._clock.show(self._recordings.recorded_from(self._call_id), None)

    def _unask(self) -> None:
        if self._asking:
            self._asking = False
            self._show()

    async def _toggle(self, event: GenericEventArguments) -> None:
        """Switches recording. Where that has to be agreed, the second press confirms it; a double click counts as one press."""
        if self._busy or repeats(event):
            return
        asks = not self._recordings.recording(self._call_id) and self._recordings.may_record(self._call) is MayRecord.IF_AGREED
        if asks and not self._asking:
            self._asking = True
            self._show()
            return
        self._asking = False
        self._busy = True
        self._show()
        try:
            if self._recordings.recording(self._call_id):
                await self._recordings.stop(self._call_id, visitor())
            else:
                await self._recordings.start(self._call_id, visitor(), agreed=asks)
        except Exception as error:
            if not self.is_deleted:
                self._notice.show_error(error)
        finally:
            self._busy = False
            if not self.is_deleted:
                self._show()


class RecordingNote(LiveBox):
    """A note on recording: that it may need consent, that the call is being recorded, or what is wrong."""

    def __init__(self, call: Call, *, recordings: Recordings) -> None:
        super().__init__("p", "recording-note", role="status")
        self._call = call
        self._recordings = recordings
        with self:
            self._label = Text("span")
        self.subscribe(recordings.changed, self._on_change)
        self._show()

    def refresh(self, call: Call) -> None:
        """Updates to a changed call."""
        self._call = call
        self._show()

    def _on_change(self, call_id: str) -> None:
        if call_id == self._call.id:
            self._show()

    def _show(self) -> None:
        if problem := self._recordings.problem(self._call.id):
            self._label.show(say(f"recording_{problem}"))
        elif not self._call.running:
            self._label.show("")
        elif self._recordings.recording(self._call.id):
            self._label.show(say("consent_recording"))
        else:
            self._label.show(say(_NOTES[self._recordings.may_record(self._call)]))
        self.set_visibility(bool(self._label.text))
