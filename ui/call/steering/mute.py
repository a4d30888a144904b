"""Muting one speaker of a call: a button that turns into its opposite once Vapi has accepted it."""

from services.desk.desk import CallDesk
from services.domain.control import Action, Control
from services.domain.speech import Speaker
from ui.call.steering.send_form import Fields, SendForm
from ui.kit.icons import icon
from ui.kit.markup import Box, Text, set_props
from ui.kit.notice import Notice
from ui.kit.visitor import visitor
from ui.words import say


class MuteForm(SendForm):
    """Mutes the assistant, or the customer, whom the assistant then no longer hears."""

    def __init__(self, who: Speaker, call_id: str, *, desk: CallDesk, notice: Notice) -> None:
        super().__init__(send=self._toggle, notice=notice)
        self._who: Speaker = who
        self._call_id = call_id
        self._desk = desk
        with self.classes("mute-form"), Box("button", "btn", type="submit") as self._button:
            self._icons = icon("mute"), icon("unmute")
            self._label = Text("span")
        self.refresh()

    def refresh(self) -> None:
        muted = self._desk.timelines.muted(self._call_id, self._who)
        set_props(self._button, aria_pressed="true" if muted else "false")
        self._label.show(say(f"unmute_{self._who}" if muted else f"mute_{self._who}"))
        self._icons[0].set_visibility(not muted)
        self._icons[1].set_visibility(muted)

    async def _toggle(self, _fields: Fields) -> bool:
        muted = self._desk.timelines.muted(self._call_id, self._who)
        action = Action(f"unmute-{self._who}" if muted else f"mute-{self._who}")
        await self._desk.control(self._call_id, Control(action=action), visitor())
        return True
