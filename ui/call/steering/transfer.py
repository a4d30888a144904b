"""Transferring a call to a number or SIP address, after a confirmation, since it can't be undone."""

from services.desk.desk import CallDesk
from services.domain.call import Call
from services.domain.control import Action, Control
from services.domain.phone_number import region_name, region_of
from ui.call.steering.send_form import Fields, SendForm
from ui.kit.icons import icon
from ui.kit.markup import Box, Text
from ui.kit.notice import Notice
from ui.kit.visitor import visitor
from ui.words import language, say
from ui.words.calls import named

_LONGEST = 256  # characters of a SIP address


class TransferForm(SendForm):
    """The first press asks for confirmation, the second, for the same destination, transfers. The desk checks it with the dial guard."""

    def __init__(self, call: Call, *, desk: CallDesk, notice: Notice) -> None:
        super().__init__(send=self._transfer, notice=notice, draft=f"transfer {call.id}")
        self._call_id = call.id
        self._desk = desk
        self._asked: str | None = None
        label = say("transfer_label")
        with self.classes("panel transfer"):
            with Box(classes="ask"):
                with Box(classes="field"):
                    field = Box("input", name="to", type="text", inputmode="tel", autocomplete="off", maxlength=_LONGEST)
                    field.props["placeholder"] = field.props["aria-label"] = label
                    field.on("input", self._unconfirm)
                with Box("button", "btn", type="submit", data_testid="transfer-send") as self._ask:
                    icon("transfer")
                    Text("span", say("transfer_it"))
            with Box(classes="below"):
                self._hint = Text("p", say("transfer_hint"))
                with Box(classes="sure", role="group") as self._sure:
                    self._question = Text("p", "", role="status")
                    Text("button", say("transfer_now"), "btn go sure-go", type="submit", name="confirmed", data_testid="transfer-confirm")
                    Text("button", say("cancel"), "btn", type="button").on("click", self._unconfirm)
        self._unconfirm()

    async def _transfer(self, fields: Fields) -> bool:
        to = fields.get("to", "")
        if not to:
            return False
        wanted = Control(action=Action.TRANSFER, destination=to)
        if fields.get("press") != "confirmed" or to != self._asked:
            self._ask_to_confirm(to, wanted)
            return False
        self._unconfirm()
        await self._desk.control(self._call_id, wanted, visitor())
        return True

    def _ask_to_confirm(self, to: str, wanted: Control) -> None:
        where = self._desk.reach.destination(to).address
        if not wanted.by_sip:
            region = region_name(region_of(where), language())
            where = f"{named(self._desk, where)} ({region})" if region else named(self._desk, where)
        self._asked = to
        self._question.show(say("transfer_sure", where=where))
        self._show()

    def _unconfirm(self) -> None:
        self._asked = None
        self._show()

    def _show(self) -> None:
        self._sure.set_visibility(self._asked is not None)
        self._hint.set_visibility(self._asked is None)
        self._ask.set_visibility(self._asked is None)
