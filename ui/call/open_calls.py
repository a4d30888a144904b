"""The active calls opened in this tab: one is on the stage, the others are still followed and can be brought back."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from services.desk.desk import CallDesk
from services.domain.call import Call, CallStatus
from services.domain.errors import EarshotError
from services.listening.live_sound import LiveSound
from ui.kit.icons import icon
from ui.kit.live_box import LiveBox
from ui.kit.markup import Box, Text, set_props
from ui.words import say
from ui.words.calls import who

_MAX_OPEN = 12  # per tab; a further one closes the oldest
_NOT_YET = (CallStatus.UNKNOWN, CallStatus.SCHEDULED)


class OpenCalls(LiveBox):
    """Hidden until two calls are open. Calls `choose` with the id of the one that is pressed.

    Following needs no sound: the transcript grows while the call is open, heard or not.
    """

    def __init__(self, *, desk: CallDesk, relay: LiveSound, choose: Callable[[str], None]) -> None:
        super().__init__("nav", "open-calls", aria_label=say("open_calls"))
        self._desk = desk
        self._relay = relay
        self._choose = choose
        self._current: str | None = None
        self._open: dict[str, _Tab] = {}
        self._following: dict[str, asyncio.Task[None]] = {}
        self.set_visibility(False)
        self.subscribe(desk.contacts.changed, lambda _: self._rename())

    def _rename(self) -> None:
        for tab in self._open.values():
            tab.name()

    def show(self, call: Call | None) -> None:
        """Call this when `call`, or none, comes on the stage."""
        self._current = call.id if call else None
        if call and call.running and call.id not in self._open:
            with self:
                self._open[call.id] = _Tab(call, desk=self._desk, choose=self._choose, close=self._close)
            if len(self._open) > _MAX_OPEN:
                self._close(next(iter(self._open)))
        self._mark()
        if call:
            self.refresh(call)

    def refresh(self, call: Call) -> None:
        """Updates the tab of a changed call. An ended one stays while it is on the stage."""
        if call.id not in self._open:
            return
        self._open[call.id].update(call)
        self._mark()
        if call.running and call.status not in _NOT_YET and call.id not in self._following:
            task = self._following[call.id] = self.start(self._follow(call.id), name="follow call")
            task.add_done_callback(lambda _: self._following.pop(call.id, None))

    async def _follow(self, call_id: str) -> None:
        # Refused if it has just ended, which the desk reports anyway.
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
    def __init__(self, call: Call, *, desk: CallDesk, choose: Callable[[str], None], close: Callable[[str], None]) -> None:
        self.running = call.running
        self._desk = desk
        self._call = call
        with Box(classes="open-call") as self.item:
            self._button = Box("button", "to-call", type="button").on("click", lambda: choose(call.id))
            with self._button:
                self._dot = Box("i")
                self._name = Text("span")
            with Box("button", "btn bare", type="button").on("click", lambda: close(call.id)) as self._shut:
                icon("close", 14)
        self.update(call)

    def update(self, call: Call) -> None:
        self.running = call.running
        self._call = call
        self._dot.classes(replace=f"dot {call.status.value}")
        self.name()

    def name(self) -> None:
        """Shows whom the call is with."""
        name = who(self._desk, self._call)
        self._name.show(name)
        set_props(self._shut, aria_label=say("close_call", number=name))

    def mark(self, current: bool) -> None:
        set_props(self._button, aria_current="true" if current else None)
