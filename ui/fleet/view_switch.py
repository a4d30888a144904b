"""The switch in the header between the call on the stage and the fleet, with how many calls run and how many of them need somebody."""

import asyncio
from collections.abc import Callable

from services.desk.desk import CallDesk
from services.domain.call import Call
from ui.fleet.cards import find, in_fleet, needs_somebody
from ui.kit.live_box import LiveBox
from ui.kit.markup import Box, Text, set_props
from ui.words import say

FEW = 5
"""From this many running calls on, one sees more in the grid than in the list."""
_LOOKS_EVERY_S = 1.0


class ViewSwitch(LiveBox):
    """`choose` is called with True when the fleet is chosen, with False when the calls are; `counted` once a second, while calls
    run, with their number."""

    def __init__(self, *, desk: CallDesk, choose: Callable[[bool], None], counted: Callable[[int], None]) -> None:
        super().__init__("div", "views", role="group", aria_label=say("fleet_view"))
        self._counted = counted
        self._desk = desk
        self._ids = {call.id for call in desk.calls() if in_fleet(call)}
        self._some_run = asyncio.Event()
        if self._ids:
            self._some_run.set()
        with self:
            self._calls = Box("button", "view", type="button", data_testid="view-calls").on("click", lambda: choose(False))
            with self._calls:
                Text("span", say("fleet_calls"))
            self._fleet = Box("button", "view", type="button", data_testid="view-fleet").on("click", lambda: choose(True))
            with self._fleet:
                Text("span", say("fleet"))
                self._count = Text("span", "", "count")
                self._needy = Text("b", "", "needy-count")
        self.show(fleet=False)
        self.look()
        self.subscribe(desk.changed, self._on_change)
        self.start(self._keep_looking(), name="count running calls")

    def show(self, *, fleet: bool) -> None:
        """Marks what is shown."""
        set_props(self._calls, aria_pressed=str(not fleet).lower())
        set_props(self._fleet, aria_pressed=str(fleet).lower())

    def _on_change(self, call: Call) -> None:
        if in_fleet(call):
            self._ids.add(call.id)
            self._some_run.set()

    async def _keep_looking(self) -> None:
        """Looks each second while calls run: no signal reports that a call has no sound."""
        while True:
            await asyncio.sleep(_LOOKS_EVERY_S)
            await self._some_run.wait()
            self._counted(self.look())
            if not self._ids:
                self._some_run.clear()

    def look(self) -> int:
        """Shows the counts as they are now, and returns how many calls run."""
        running = [call for call_id in self._ids if (call := find(self._desk, call_id))]
        self._ids = {call.id for call in running}
        needy = sum(needs_somebody(self._desk, call) for call in running)
        self._count.set_text(str(len(running)) if running else "")  # it keeps its place while it is empty
        self._needy.show(str(needy) if needy else "")
        set_props(self._needy, aria_label=say("fleet_need", count=needy) if needy else None, role="img" if needy else None)
        self.classes(add="many" if len(running) >= FEW else "", remove="" if len(running) >= FEW else "many")
        return len(running)
