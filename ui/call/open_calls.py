"""The running calls that this tab has opened: each goes on being followed, one is on the stage, and a press goes back to another."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from services.domain.call import Call, CallStatus
from services.domain.errors import EarshotError
from services.listening.relay import Relay
from ui.kit.icons import icon
from ui.kit.living import Living
from ui.kit.markup import Box, Text, set_props
from ui.words import say
from ui.words.calls import number

_MOST = 12  # a tab follows no more; the one that was opened first gives way
_NOT_YET = (CallStatus.UNKNOWN, CallStatus.SCHEDULED)


class OpenCalls(Living):
    """Not there until two calls are open. `choose` is given the id of the one that is pressed.

    Following costs no sound: what is said is written down while the call is open, heard or not.
    """

    def __init__(self, *, relay: Relay, choose: Callable[[str], None]) -> None:
        super().__init__("nav", "open-calls", aria_label=say("open_calls"))
        self._relay = relay
        self._choose = choose
        self._current: str | None = None
        self._open: dict[str, _Tab] = {}
        self._following: dict[str, asyncio.Task[None]] = {}
        self.set_visibility(False)

    def show(self, call: Call | None) -> None:
        """`call` is on the stage from now on, or none."""
        self._current = call.id if call else None
        if call and call.running and call.id not in self._open:
            with self:
                self._open[call.id] = _Tab(call, choose=self._choose, close=self._close)
            if len(self._open) > _MOST:
                self._close(next(iter(self._open)))
        self._mark()
        if call:
            self.note(call)

    def note(self, call: Call) -> None:
        """Takes in that a call changed. One that ended stays as long as it is looked at."""
        if call.id not in self._open:
            return
        self._open[call.id].update(call)
        self._mark()
        if call.running and call.status not in _NOT_YET and call.id not in self._following:
            task = self._following[call.id] = self.start(self._follow(call.id), name="follow call")
            task.add_done_callback(lambda _: self._following.pop(call.id, None))

    async def _follow(self, call_id: str) -> None:
        # Refused where it ended in this very moment: whoever follows the desk hears of that.
        with suppress(EarshotError), self._relay.listen(call_id, sound=False, events=False) as listener:
            async for _ in listener:
                pass

    def _close(self, call_id: str) -> None:
        self._open.pop(call_id).item.delete()
        if task := self._following.pop(call_id, None):
            task.cancel()
        if call_id == self._current and self._open:
            self._choose(next(reversed(self._open)))
        self._mark()

    def _mark(self) -> None:
        for call_id, tab in list(self._open.items()):
            if call_id != self._current and not tab.running:
                self._open.pop(call_id).item.delete()
            else:
                tab.mark(call_id == self._current)
        self.set_visibility(len(self._open) > 1)


class _Tab:
    def __init__(self, call: Call, *, choose: Callable[[str], None], close: Callable[[str], None]) -> None:
        self.running = call.running
        with Box(classes="open-call") as self.item:
            self._button = Box("button", "to-call", type="button").on("click", lambda: choose(call.id))
            with self._button:
                self._dot = Box("i")
                Text("span", number(call))
            with Box("button", "btn bare", type="button", aria_label=say("close_call", number=number(call))) as shut:
                icon("close", 14)
            shut.on("click", lambda: close(call.id))

    def update(self, call: Call) -> None:
        self.running = call.running
        self._dot.classes(replace=f"dot {call.status.value}")

    def mark(self, current: bool) -> None:
        set_props(self._button, aria_current="true" if current else None)
