"""Handing a running call to another assistant of the account. The call can be handed back, so nothing is asked first."""

from services.desk.desk import CallDesk
from services.domain.control import Action, Control
from ui.call.steering.send_form import Fields, SendForm
from ui.kit.icons import icon
from ui.kit.markup import Box, Text
from ui.kit.notice import Notice
from ui.kit.picker import Picker, short
from ui.kit.visitor import visitor
from ui.words import say


class HandoffForm(SendForm):
    """The assistants by name. The desk asks Vapi whether the chosen one still exists."""

    def __init__(self, call_id: str, *, desk: CallDesk, notice: Notice) -> None:
        super().__init__(send=self._hand_over, notice=notice)
        self._call_id = call_id
        self._desk = desk
        with self.classes("panel handoff"):
            with Box(classes="ask"):
                self._assistants = Picker("takes-over", say("takes_over"), absent=say("choose_assistant"), testid="handoff-assistant")
                with Box("button", "btn", type="submit", data_testid="handoff-send"):
                    icon("handoff")
                    Text("span", say("hand_over"))
            with Box(classes="below"):
                Text("p", say("handoff_hint"))
        self.refresh()

    def refresh(self) -> None:
        """Shows Vapi's current list."""
        listed = self._desk.directory.assistants.values()
        self._assistants.offer(("", [(item.id, item.name or short(item.id)) for item in listed]))

    async def _hand_over(self, fields: Fields) -> bool:
        chosen = fields.get("takes-over", "")
        if not chosen:
            return False
        await self._desk.control(self._call_id, Control(action=Action.HANDOFF, assistant_id=chosen), visitor())
        return True
