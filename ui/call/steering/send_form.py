"""The Python side of ui/call/steering/send_form.js: a form whose press is sent at most once, and not if it arrives late."""

from collections.abc import Awaitable, Callable, Mapping

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from ui.kit.given import fields_of
from ui.kit.markup import set_props
from ui.kit.notice import Notice
from ui.kit.press import PRESS, came_late
from ui.words import say

_LONGEST = 2000  # characters of a field

Fields = Mapping[str, str]


class SendForm(Element, component="send_form.js", dependencies=[PRESS]):
    """Calls `send` with the fields of each valid press; it returns whether to clear the form. Its errors are shown in `notice`.

    What is typed is kept in the browser under `draft` until it is sent.
    """

    def __init__(self, *, send: Callable[[Fields], Awaitable[bool]], notice: Notice, draft: str = "") -> None:
        super().__init__()
        self._send = send
        self._notice = notice
        self._busy = False
        set_props(self, offline=say("steer_offline"), disabled=False, draft=draft)
        self.on("send", self._pressed)

    def enable(self, possible: bool) -> None:
        set_props(self, disabled=not possible)

    async def _pressed(self, event: GenericEventArguments) -> None:
        if self._busy:
            return
        self._busy = True
        self._notice.hide()
        done = False
        try:
            fields = dict(fields_of(event))
            if await came_late(self.client, fields.pop("clocks", None)):
                self._notice.show(say("steer_late_title"), say("steer_late"))
            else:
                done = await self._send({name: str(value)[:_LONGEST].strip() for name, value in fields.items()})
        except Exception as error:
            self._notice.show_error(error)
        finally:
            self._busy = False
            if not self.is_deleted:
                self.run_method("settle", done)
