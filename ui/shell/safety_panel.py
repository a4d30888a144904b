"""The panel of the stop switch: stop all dialling, allow it again, end all active calls, and what may be recorded."""

from nicegui.events import GenericEventArguments

from services.desk.desk import CallDesk
from services.desk.ending.end_all import AllEnded, end_all
from services.desk.ending.stopping import resume_dialling, stop_dialling
from services.dialling.switch import Stop, Switch
from services.domain.call import Call
from services.domain.client import Scope
from services.domain.errors import EarshotError
from ui.kit.given import repeats
from ui.kit.markup import Box, Text, set_props
from ui.kit.notice import Notice
from ui.kit.times import LocalTime
from ui.kit.visitor import visitor, visitor_controls_all, visitor_may
from ui.shell.recording_rules import RecordingRulesPanel
from ui.words import say
from ui.words.calls import named
from ui.words.who import who_name


class SafetyPanel:
    """Stopping takes one press, since it harms nobody. Ending all calls takes two separate presses."""

    def __init__(self, *, desk: CallDesk, switch: Switch) -> None:
        self._desk = desk
        self._switch = switch
        self._confirming = False
        self._ending = False
        self._resumes = visitor_may(Scope.MANAGE)
        self._title = Text("strong")
        self._explained = Text("p")
        self._record = StoppedBy()
        with Box(classes="safety-buttons"):
            self._stop = Text("button", say("stop_dialling"), "btn end", type="button", data_testid="dialling-stop")
            self._stop.on("click", self._stop_dialling)
            self._resume = Text("button", say("resume_dialling"), "btn", type="button", data_testid="dialling-resume")
            self._resume.on("click", self._resume_dialling)
            self._end = Text("button", "", "btn", type="button", data_testid="end-all")
            self._end.on("click", self._press_end, args=["detail"]).on("blur", self._unconfirm)
        self._end.set_visibility(visitor_controls_all())
        self._done = Text("p", "", "done", role="status")
        self._notice = Notice()
        self._done.show("")
        if self._resumes:
            RecordingRulesPanel(desk.consents)
        self.show_switch(switch.state)
        self._show_end()

    def show_switch(self, stop: Stop | None) -> None:
        stopped = stop is not None
        self._title.show(say("dialling_stopped" if stopped else "dialling_allowed"))
        self._explained.show(say("dialling_stopped_explained" if stopped else "dialling_allowed_explained"))
        self._record.show(stop)
        self._stop.set_visibility(not stopped)
        self._resume.set_visibility(stopped and self._resumes)

    def show_calls(self, _call: Call) -> None:
        self._show_end()

    def reset(self) -> None:
        """Clears the result of earlier presses, when the panel is opened again."""
        self._done.show("")
        self._unconfirm()

    async def _stop_dialling(self) -> None:
        self._notice.hide()
        try:
            await stop_dialling(self._switch, visitor())
        except EarshotError as error:
            self._notice.show_error(error)

    async def _resume_dialling(self) -> None:
        self._notice.hide()
        try:
            await resume_dialling(self._switch, visitor())
        except EarshotError as error:
            self._notice.show_error(error)

    async def _press_end(self, event: GenericEventArguments) -> None:
        # A double click is one press, not a press and its confirmation.
        if self._ending or repeats(event):
            return
        if not self._confirming:
            self._confirming = True
            self._show_end()
            return
        self._confirming, self._ending = False, True
        self._notice.hide()
        self._show_end()
        try:
            self._show_result(await end_all(self._desk, self._switch, visitor()))
        except Exception as error:
            self._notice.show_error(error)
        finally:
            self._ending = False
            self._show_end()

    def _show_result(self, outcome: AllEnded) -> None:
        count = len(outcome.ended)
        self._done.show("" if outcome.unconfirmed and not count else say("end_all_done" if count else "end_all_nothing", count=count))
        if outcome.unconfirmed:
            lines = (say("end_all_unconfirmed", number=named(self._desk, call.to or ""), why=why) for call, why in outcome.unconfirmed)
            self._notice.show(say("end_all_unconfirmed_title"), " ".join(lines))

    def _unconfirm(self) -> None:
        self._confirming = False
        self._show_end()

    def _show_end(self) -> None:
        count = sum(call.running for call in self._desk.calls())
        key = "end_all_sure" if self._confirming else "end_all"
        # Pressing makes sense without a known call as well: one may be ringing that this process has not seen yet.
        text = say("end_all_busy") if self._ending else say(key, count=count) if count else say(f"{key}_none")
        self._end.show(text)
        self._end.classes(replace="btn end" if self._confirming else "btn")
        set_props(self._end, disabled=self._ending)


class StoppedBy:
    """Who stopped dialling, when, and why."""

    def __init__(self) -> None:
        with Box("p", "stopped-by") as self._box:
            self._who = Text("span")
            self._when = LocalTime(brief=True)
            self._why = Text("q")

    def show(self, stop: Stop | None) -> None:
        self._box.set_visibility(stop is not None)
        if stop:
            self._who.show(say("stopped_by", who=who_name(stop.by)))
            self._when.show(stop.since)
            self._why.show(stop.reason)
