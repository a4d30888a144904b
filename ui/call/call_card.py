"""One call on the stage: number, clock, state, sound, transcript, steering, and outcome."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from services.desk.calls.proof import stuck
from services.desk.desk import CallDesk
from services.domain.call import Call, CallStatus
from services.domain.client import Scope
from services.domain.errors import JournalError
from services.measures.measured import Measured
from services.recording.recordings import Recordings
from ui.call.alerts_line import AlertsLine
from ui.call.annotations import CallAnnotations
from ui.call.audience_line import AudienceLine
from ui.call.call_head import CallHead
from ui.call.data_deletion import DataDeletion
from ui.call.measures_line import MeasuresLine
from ui.call.outcome import Outcome
from ui.call.player.audio_player import AudioPlayer
from ui.call.reschedule import Reschedule
from ui.call.steering.steering import Steering
from ui.call.timeline import Timeline
from ui.call.transcript import Transcript
from ui.kit.icons import icon
from ui.kit.markup import Box, Text, set_props
from ui.kit.notice import Notice
from ui.kit.times import LocalTime
from ui.kit.visitor import visitor, visitor_controls_all, visitor_may, visitor_records
from ui.recording.record_switch import RecordingNote, RecordSwitch
from ui.recording.recorded import Recorded
from ui.recording.vapi_recorded import VapiRecorded
from ui.words import say
from ui.words.calls import remark, who

_AGAIN_S = 2.0  # between attempts to read the journal
_WITHOUT_SOUND = (CallStatus.UNKNOWN, CallStatus.SCHEDULED, CallStatus.ENDED)


class CallCard:
    """Built once per call; `update` keeps it current. `listen` starts the sound.

    `dial_again` is called with the number, `select` with the id of a call that took the place of this one, `sounds` when its sound starts
    or stops, `steered` with whether the visitor can steer it now.
    """

    def __init__(
        self,
        call: Call,
        *,
        desk: CallDesk,
        recordings: Recordings,
        issue_ticket: Callable[[str], str],
        listen: bool,
        dial_again: Callable[[str], None],
        select: Callable[[str], None],
        sounds: Callable[[], None],
        steered: Callable[[bool], None],
    ) -> None:
        self.call = call
        self._sounds = sounds
        self._desk = desk
        self._recordings = recordings
        self._issue_ticket = issue_ticket
        self.listen = listen
        self._player: AudioPlayer | None = None
        self._heard = False
        self._ending = False
        self._freed = False
        self._controls = self._ends = visitor_controls_all()
        self._listens, self._records = visitor_may(Scope.LISTEN), visitor_records()
        self._moves, self._frees = visitor_may(Scope.CALL), visitor_may(Scope.MANAGE)
        self._replays: frozenset[str] = frozenset()
        self._head = CallHead(call, desk=desk)
        self._remark = Text("p", "", "remark")
        self._alerts = AlertsLine(call, desk=desk)
        AudienceLine(call, audience=desk.audience)
        with Box(classes="waiting") as self._waiting:
            with Box("p", "remark"):
                Text("span", say("scheduled_for"))
                self._begins = LocalTime(full=True)
                self._at_the_latest = Text("span", say("at_the_latest"))
                self._begins_by = LocalTime(full=True)
            self._cancel = Text("button", "", "btn end", type="button", data_testid="call-cancel").on("click", self._end)
            self._reschedule = Box()
        self._free = Text("button", say("free_slot"), "btn", type="button", title=say("free_slot_explained"), data_testid="free-slot")
        self._free.on("click", self._free_slot)
        self._notice, self._unread = Notice(), Notice(lasting=True)
        with self._reschedule:
            self._move = Reschedule(call, desk=desk, notice=self._notice, select=select)
        self._outcome = Outcome(desk=desk, dial_again=dial_again)
        self._sound = Box(classes="sound")
        self._note = RecordingNote(call, recordings=recordings)
        self._recorded = Recorded(
            call, recordings=recordings, measured=desk.measurements.of, replaying=partial(self._replaying, "ours"), note=self._note_at
        )
        self._vapi_recorded = VapiRecorded(
            call, measured=desk.measurements.of, replaying=partial(self._replaying, "vapis"), note=self._note_at
        )
        with Box(classes="talked"):
            self._measures = MeasuresLine(call, desk=desk, show_moment=self._show_time, show_live=self._mark)
            self._transcript = Transcript(call, desk=desk)
            Timeline(call, desk=desk)
        self._steering = Steering(call, desk=desk, shown=steered)
        self._annotations = CallAnnotations(call, desk=desk, replay=self.show_moment)
        self._deletion = DataDeletion(call, desk=desk)
        self._allow()
        self.update(call)
        if not self._controls and visitor_may(Scope.CONTROL):
            self._steering.start(self._look_whose(), name="look up who placed the call")

    async def _look_whose(self) -> None:
        """Finds out whether a visitor who controls only their own calls placed this one, and shows the controls then.

        Hanging up must not wait for the journal: while it can't be read, End call is shown to a visitor with the name of the call's placer.
        """
        while True:
            try:
                self._controls = self._ends = await self._desk.rights.may_control(self.call, visitor())
            except JournalError as error:
                self._unread.show_error(error)
                self._ends = self.call.placed_by == visitor().name
                self._refresh()
                await asyncio.sleep(_AGAIN_S)
            else:
                break
        self._unread.hide()
        self._allow()
        self._refresh()

    def _allow(self) -> None:
        self._steering.allow(self._controls)
        self._annotations.allow(self._controls)

    def update(self, call: Call) -> None:
        self.call = call
        self._head.update(call)
        self._remark.show(remark(call))
        if call.status not in _WITHOUT_SOUND and self._player is None and self._listens:
            self._with_player(call)
        if not call.running:
            self._notice.hide()
            if not self._heard:
                self._sound.clear()
                self._player = None
        self._outcome.show(call)
        self._alerts.refresh(call)
        self._measures.refresh(call)
        self._note.refresh(call)
        self._recorded.refresh(call)
        self._vapi_recorded.refresh(call)
        self._transcript.refresh(call)
        self._steering.refresh(call)
        self._annotations.refresh(call)
        self._deletion.refresh(call)
        self._refresh()

    def _with_player(self, call: Call) -> None:
        with self._sound:
            self._player = player = AudioPlayer(
                call.id, who=who(self._desk, call), issue_ticket=self._issue_ticket, autostart=self.listen, on_state=self._on_state
            )
            with player:
                toggle = self._toggle = Box("button", "btn listen", type="button", data_testid="listen-toggle")
                toggle.on("click", js_handler=player.toggle_handler)
                with toggle:
                    self._toggle_icons = icon("listen"), icon("stop")
                    self._toggle_text = Text("span")
                self._record = RecordSwitch(call, recordings=self._recordings, notice=self._notice)
                self._record.subscribe(self._recordings.changed, self._on_recording)
                with Box("label", "switch") as self._spread:
                    Box("input", type="checkbox", role="switch").on("change", js_handler=player.spread_handler)
                    Text("span", say("spread"))
            with player.add_slot("end"):
                self._end_button = Box("button", "btn end", type="button", data_testid="call-end").on("click", self._end)
                with self._end_button:
                    icon("end")
                    self._end_text = Text("span")

    def start_sound(self) -> None:
        """Starts the sound if the call is active and not being heard."""
        if self._player and self.call.running and not self._player.listening:
            self._player.run_method("start")

    def show_moment(self, seconds: float) -> None:
        """Opens a replay of the call at this moment, where there is a recording."""
        if not self._recorded.open_at(seconds):
            self._vapi_recorded.open_at(seconds)

    def _show_time(self, unix_s: float) -> None:
        """The same for a time, in seconds since 1970."""
        if not self._recorded.open_at_time(unix_s):
            self._vapi_recorded.open_at_time(unix_s)

    def _mark(self, measured: Measured) -> None:
        if self._player and not self._player.is_deleted:
            self._player.mark_turns(measured)

    def _note_at(self, seconds: float) -> None:
        self._annotations.mark_moment(seconds)

    def stop_sound(self) -> None:
        if self._player:
            self._player.run_method("stop")

    @property
    def listening(self) -> bool:
        """True if the call is heard, or will be as soon as it has sound."""
        return self._player is not None and self._player.listening

    def _on_state(self, state: str) -> None:
        self._heard = self._heard or state == "playing"
        self._refresh()
        self._sounds()

    def _on_recording(self, call_id: str) -> None:
        if call_id == self.call.id:
            self._refresh()

    def _refresh_waiting(self) -> None:
        """Updates what a call has that is scheduled, or that should be over."""
        scheduled = self.call.status is CallStatus.SCHEDULED
        ending = self._ending or self._desk.ending(self.call.id)
        self._waiting.set_visibility(scheduled)
        self._begins.show(self.call.due_at if scheduled else None)
        latest = self.call.latest_at if scheduled else None
        self._at_the_latest.set_visibility(latest is not None)
        self._begins_by.show(latest)
        self._move.refresh(self.call)
        self._cancel.set_visibility(self._ends)
        self._reschedule.set_visibility(self._controls and self._moves)
        self._cancel.show(say("cancelling" if ending else "cancel_call"))
        set_props(self._cancel, disabled=ending)
        self._free.set_visibility(stuck(self.call, datetime.now(UTC)) and not self._freed and self._frees)

    def _refresh(self) -> None:
        """Updates the buttons to what can be done now."""
        if not self._free.is_deleted:
            self._refresh_waiting()
        if self._player is None or self._sound.is_deleted:
            return
        running = self.call.running
        listening = self._player.listening
        recorded = self._recordings.recording(self.call.id) or self._recordings.has(self.call.id)
        self._player.tell(self.call, recorded=recorded)
        set_props(self._toggle, aria_pressed="true" if listening else "false")
        self._toggle_text.show(say("stop_listening" if listening else "listen"))
        self._toggle_icons[0].set_visibility(not listening)
        self._toggle_icons[1].set_visibility(listening)
        self._toggle.set_visibility(running or listening)
        self._spread.set_visibility(running or listening)
        self._end_button.set_visibility(running and self._ends)
        self._record.set_visibility(running and self._controls and self._records)
        ending = self._ending or self._desk.ending(self.call.id)
        self._end_text.show(say("ending" if ending else "end_call"))
        set_props(self._end_button, disabled=ending)
        self._sound.classes(replace="sound" if running else "sound over")

    def _replaying(self, which: str, replaying: bool) -> None:
        """Hides sound and transcript while a replay is open, which has its own."""
        self._replays = self._replays | {which} if replaying else self._replays - {which}
        self._sound.set_visibility(not self._replays)
        self._transcript.set_visibility(not self._replays)

    async def _free_slot(self) -> None:
        try:
            await self._desk.free_slot(self.call.id, visitor())
            self._freed = True
        except Exception as error:
            self._notice.show_error(error)
        self._refresh()

    async def _end(self) -> None:
        if self._ending:
            return
        self._ending = True
        self._notice.hide()
        self._refresh()
        try:
            await self._desk.end(self.call.id, visitor())
        except Exception as error:
            if not self._notice.is_deleted:
                self._notice.show_error(error)
        finally:
            self._ending = False
            self._refresh()
