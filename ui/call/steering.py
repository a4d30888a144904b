"""Steering an active call: have the assistant say something, instruct it, transfer the call, mute the assistant."""

from services.desk.call_control import Obstacle
from services.desk.desk import CallDesk
from services.domain.call import Call
from services.domain.client import PAGE
from services.domain.control import Action, Control
from ui.call.send_form import Fields, SendForm
from ui.call.transfer import TransferForm
from ui.kit.icons import icon
from ui.kit.live_box import LiveBox
from ui.kit.markup import Box, Text, set_props
from ui.kit.notice import Notice
from ui.words import say

_LONGEST = 1000  # characters: a minute of speech
_WHY_NOT = {
    Obstacle.UNKNOWN: "not_yet_unknown",
    Obstacle.NOT_ANSWERED: "not_yet_answered",
    Obstacle.NO_CONTROL: "no_control",
}


class Steering(LiveBox):
    """The controls of one active call. While they can't work they say why; errors appear below them."""

    def __init__(self, call: Call, *, desk: CallDesk) -> None:
        super().__init__("section", "steering", aria_label=say("steering"))
        self._call = call
        self._desk = desk
        with self:
            with Box(classes="ways"):
                _ways()
                notice = Notice()
                with SendForm(send=self._toggle_mute, notice=notice).classes("mute-form") as muting:
                    self._mute = Box("button", "btn", type="submit")
                    with self._mute:
                        self._mute_icons = icon("mute"), icon("unmute")
                        self._mute_text = Text("span")
            with SendForm(send=self._say, notice=notice, draft=f"say {call.id}").classes("panel say") as saying:
                _field("say", label=say("say_label"), press=say("say_it"), icon_name="say")
                with Box(classes="below"):
                    Text("p", say("say_hint"))
                    with Box("label", "switch"):
                        Box("input", type="checkbox", role="switch", name="last")
                        Text("span", say("end_after"))
            with SendForm(send=self._whisper, notice=notice, draft=f"whisper {call.id}").classes("panel whisper") as whispering:
                _field("whisper", label=say("whisper_label"), press=say("whisper_it"), icon_name="whisper")
                with Box(classes="below"):
                    Text("p", say("whisper_hint"))
            transferring = TransferForm(call, desk=desk, notice=notice)
            self._why_not = Text("p", "", "why-not", role="status")
            notice.move(self)
        self._forms = muting, saying, whispering, transferring
        self.subscribe(desk.timelines.changed, self._on_change)
        self._refresh()

    def refresh(self, call: Call) -> None:
        """Updates to a changed call."""
        self._call = call
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
        muted = self._desk.muted(self._call.id)
        set_props(self._mute, aria_pressed="true" if muted else "false")
        self._mute_text.show(say("unmute_assistant" if muted else "mute_assistant"))
        self._mute_icons[0].set_visibility(not muted)
        self._mute_icons[1].set_visibility(muted)
        self.set_visibility(self._call.running)

    async def _say(self, fields: Fields) -> bool:
        last = "last" in fields
        return await self._send(Control(action=Action.SAY, content=fields.get("say"), end_call_after_spoken=last))

    async def _whisper(self, fields: Fields) -> bool:
        return await self._send(Control(action=Action.ADD_MESSAGE, content=fields.get("whisper")))

    async def _toggle_mute(self, _fields: Fields) -> bool:
        muted = self._desk.muted(self._call.id)
        return await self._send(Control(action=Action.UNMUTE_ASSISTANT if muted else Action.MUTE_ASSISTANT))

    async def _send(self, control: Control) -> bool:
        if control.content == "":
            return False
        await self._desk.control(self._call.id, control, PAGE)
        return True


def _ways() -> None:
    """The choice of action; the style sheet shows the form of the chosen one."""
    with Box("fieldset", "choices"):
        Text("legend", say("steering"), "sr-only")
        for way in ("say", "whisper", "transfer"):
            with Box("label"):
                Box("input", type="radio", name="way", value=way, checked=True if way == "say" else None)
                Text("span", say(f"way_{way}"))


def _field(name: str, *, label: str, press: str, icon_name: str) -> None:
    with Box(classes="ask"):
        with Box(classes="field"):
            Box("input", name=name, type="text", autocomplete="off", maxlength=_LONGEST, placeholder=label, aria_label=label)
        with Box("button", "btn", type="submit", data_testid=f"{name}-send"):
            icon(icon_name)
            Text("span", press)
