"""Steering an active call: have the assistant say something, instruct it, transfer the call or hand it over, mute a speaker."""

from collections.abc import Callable, Sequence

from services.desk.call_control import Obstacle
from services.desk.desk import CallDesk
from services.domain.call import Call
from services.domain.client import Scope
from services.domain.control import Action, Control
from services.domain.speech import Speaker
from ui.call.steering.dictation import Dictation
from ui.call.steering.handoff import HandoffForm
from ui.call.steering.mute import MuteForm
from ui.call.steering.send_form import Fields, SendForm
from ui.call.steering.transfer import TransferForm
from ui.kit.icons import icon
from ui.kit.live_box import LiveBox
from ui.kit.markup import Box, Text
from ui.kit.notice import Notice
from ui.kit.visitor import visitor, visitor_may
from ui.words import say

WAYS = ("say", "whisper", "transfer", "handoff")
"""All but the first need the scope `transfer`: an assistant may have a tool that transfers."""
_LONGEST = 1000  # characters: a minute of speech
_WHY_NOT = {
    Obstacle.UNKNOWN: "not_yet_unknown",
    Obstacle.NOT_ANSWERED: "not_yet_answered",
    Obstacle.NO_CONTROL: "no_control",
}


class Steering(LiveBox):
    """The controls of one active call. While they can't work they say why; errors appear below them.

    `shown` is called with True if they are visible, else with False.
    """

    def __init__(self, call: Call, *, desk: CallDesk, shown: Callable[[bool], None]) -> None:
        super().__init__("section", "steering", aria_label=say("steering"))
        self._call = call
        self._desk = desk
        self._shown = shown
        self._allowed = True
        transfers = visitor_may(Scope.TRANSFER)
        with self:
            with Box(classes="ways"):
                _ways(WAYS if transfers else WAYS[:1])
                notice = Notice()
                with Box(classes="mutes"):
                    speakers: tuple[Speaker, ...] = ("assistant", "customer")
                    self._mutes = [MuteForm(who, call.id, desk=desk, notice=notice) for who in speakers]
            with SendForm(send=self._say, notice=notice, draft=f"say {call.id}").classes("panel say") as saying:
                self._field("say", label=say("say_label"), press=say("say_it"), icon_name="say")
                with Box(classes="below"):
                    Text("p", say("say_hint"))
                    _switch("interrupt", say("interrupt"))
                    _switch("last", say("end_after"))
            with SendForm(send=self._whisper, notice=notice, draft=f"whisper {call.id}").classes("panel whisper") as whispering:
                self._field("whisper", label=say("whisper_label"), press=say("whisper_it"), icon_name="whisper")
                with Box(classes="below"):
                    Text("p", say("whisper_hint"))
                    _switch("silent", say("silent"))
            whispering.set_visibility(transfers)
            transferring = TransferForm(call, desk=desk, notice=notice)
            transferring.set_visibility(transfers)
            self._handing = HandoffForm(call.id, desk=desk, notice=notice)
            self._handing.set_visibility(transfers)
            self._why_not = Text("p", "", "why-not", role="status")
            notice.move(self)
        self._forms = *self._mutes, saying, whispering, transferring, self._handing
        self.subscribe(desk.timelines.changed, self._on_change)
        self.subscribe(desk.directory.changed, lambda _: self._handing.refresh())
        self._refresh()

    def refresh(self, call: Call) -> None:
        """Updates to a changed call."""
        self._call = call
        self._refresh()

    def allow(self, allowed: bool) -> None:
        """Sets whether the visitor may control the call. Hidden if not."""
        self._allowed = allowed
        self._refresh()

    def _on_change(self, call_id: str) -> None:
        if call_id == self._call.id:
            self._refresh()

    def _refresh(self) -> None:
        obstacle = self._desk.can_control(self._call)
        self._why_not.show(say(_WHY_NOT[obstacle]) if obstacle in _WHY_NOT else "")
        self.classes(add="unable" if obstacle else None, remove=None if obstacle else "unable")
        for form in self._forms:
            form.enable(obstacle is None)
        for mute in self._mutes:
            mute.refresh()
        steers = self._call.running and self._allowed
        self.set_visibility(steers)
        self._shown(steers)

    def _field(self, name: str, *, label: str, press: str, icon_name: str) -> None:
        """With the owner's phrases as suggestions."""
        phrases = f"{name}-phrases-{self.id}"
        with Box(classes="ask"):
            with Box(classes="field"):
                more = {"placeholder": label, "aria_label": label, "data_testid": f"{name}-text", "list": phrases}
                Box("input", name=name, type="text", autocomplete="off", maxlength=_LONGEST, **more)
            with Box("datalist", id=phrases):
                for phrase in self._desk.phrases.all:
                    Box("option", value=phrase)
            Dictation()
            with Box("button", "btn", type="submit", data_testid=f"{name}-send"):
                icon(icon_name)
                Text("span", press)

    async def _say(self, fields: Fields) -> bool:
        last, interrupt = "last" in fields, "interrupt" in fields
        return await self._send(Control(action=Action.SAY, content=fields.get("say"), end_call_after_spoken=last, interrupt=interrupt))

    async def _whisper(self, fields: Fields) -> bool:
        return await self._send(Control(action=Action.ADD_MESSAGE, content=fields.get("whisper"), silent="silent" in fields))

    async def _send(self, control: Control) -> bool:
        if control.content == "":
            return False
        await self._desk.control(self._call.id, control, visitor())
        return True


def _ways(ways: Sequence[str]) -> None:
    """The choice of action; the style sheet shows the form of the chosen one."""
    with Box("fieldset", "choices"):
        Text("legend", say("steering"), "sr-only")
        for way in ways:
            with Box("label"):
                Box("input", type="radio", name="way", value=way, checked=True if way == "say" else None)
                Text("span", say(f"way_{way}"))


def _switch(name: str, text: str) -> None:
    with Box("label", "switch"):
        Box("input", type="checkbox", role="switch", name=name)
        Text("span", text)
