"""The Python face of assets/send_form.js: a form whose press counts once, soon, or not at all."""

import time
from collections.abc import Awaitable, Callable, Mapping

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from ui.assets import ASSETS
from ui.markup import set_props
from ui.notice import Notice
from ui.words import say

_TOO_OLD = 3.0  # seconds: a press that arrives later may not be what its presser still wants
_ASKING = 3.0  # seconds for which the browser is asked how old a press is
_LONGEST = 2000  # characters of a field

Fields = Mapping[str, str]


class SendForm(Element, component=ASSETS / "send_form.js"):
    """`send` is given the fields of each press that counts, and says whether the form is done with; what it raises, `notice` tells."""

    def __init__(self, *, send: Callable[[Fields], Awaitable[bool]], notice: Notice) -> None:
        super().__init__()
        self._send = send
        self._notice = notice
        self._busy = False
        set_props(self, offline=say("steer_offline"), disabled=False)
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
            if await self._too_old():
                self._notice.tell(say("steer_late_title"), say("steer_late"))
            else:
                done = await self._send({name: str(value)[:_LONGEST].strip() for name, value in dict(event.args).items()})
        except Exception as error:
            self._notice.tell_error(error)
        finally:
            self._busy = False
            if not self.is_deleted:
                self.run_method("settle", done)

    async def _too_old(self) -> bool:
        """By the browser's own clock, and the time that its answer took."""
        asked_at = time.monotonic()
        try:
            age = await self.run_method("age", timeout=_ASKING)
        except TimeoutError:
            return True
        return age is None or float(age) + time.monotonic() - asked_at > _TOO_OLD
