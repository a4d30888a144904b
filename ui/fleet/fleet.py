"""The running calls as a grid that shows who speaks, what was said last, and which call needs somebody."""

import asyncio
from collections.abc import Callable

from nicegui.element import Element

from services.desk.desk import CallDesk
from services.domain.call import Call
from services.measures.trouble import LOST_S
from ui.fleet.cards import Card, card, find, in_fleet
from ui.kit.given import text_of
from ui.kit.icons import drawing
from ui.kit.live_box import Batch, LiveBox
from ui.kit.markup import set_props
from ui.kit.times import FORMATS
from ui.words import say, text

_EVERY_S = 0.25  # a card is updated at most so often: fifty calls publish two figures a second each


class Grid(Element, component="fleet.js", dependencies=[FORMATS]):
    """Calls `open_` with the id of the call whose name is pressed, `hear` and `quiet` with the one that is to be heard or to fall silent.
    Without `open_` it has no controls."""

    def __init__(
        self,
        cards: list[Card],
        *,
        open_: Callable[[str], None] | None = None,
        hear: Callable[[str], None] | None = None,
        quiet: Callable[[str], None] | None = None,
        for_a_room: bool = False,
    ) -> None:
        super().__init__()
        words = {
            "fleet": say("fleet"),
            "order": say("fleet_order"),
            "listen": say("listen"),
            "heard": say("fleet_heard"),
            "none": say("fleet_none"),
            "count": text("fleet_count"),
            "need": text("fleet_need"),
        }
        icons = {"listen": drawing("listen", 16), "heard": drawing("stop", 16)}
        set_props(self, initial=cards, words=words, icons=icons, controls=open_ is not None, wall=for_a_room)
        for event, handler in (("open", open_), ("hear", hear), ("quiet", quiet)):
            if handler:
                self.on(event, lambda event, handler=handler: handler(text_of(event)))


class Fleet(LiveBox):
    """All running calls. As long as it is not active nothing is sent to the browser. `for_a_room` masks the numbers."""

    def __init__(
        self,
        *,
        desk: CallDesk,
        open_: Callable[[str], None] | None = None,
        hear: Callable[[str], None] | None = None,
        quiet: Callable[[str], None] | None = None,
        for_a_room: bool = False,
    ) -> None:
        super().__init__("div", "fleet-box")
        self._desk = desk
        self._for_a_room = for_a_room
        self._hears = hear is not None
        self._cards = self._all()
        with self:
            self._grid = Grid(list(self._cards.values()), open_=open_, hear=hear, quiet=quiet, for_a_room=for_a_room)
        self._batch = Batch[str, None](self, self._refresh, every_s=_EVERY_S)
        self.subscribe(desk.changed, lambda call: self._look_at(call.id))
        self.subscribe(desk.measurements.changed, self._look_at)
        self.subscribe(desk.alerts.raised, lambda alert: self._look_at(alert.call_id))
        self.subscribe(desk.transcripts.changed, lambda change: self._look_at(change[0]))
        self.subscribe(desk.transcripts.speech_changed, self._look_at)
        self.start(self._watch(), name="watch the fleet")

    def activate(self, active: bool) -> None:
        """Shows the calls as they are now and what changes from now on, or stops that."""
        self.set_visibility(active)
        if active:
            self._cards = self._all()
            self._grid.run_method("replace", list(self._cards.values()))

    def mark_card(self, call_id: str | None) -> None:
        """Marks the call that is heard in this tab; None marks none."""
        self._grid.run_method("mark", call_id)

    def _all(self) -> dict[str, Card]:
        return {
            call.id: card(self._desk, call, for_a_room=self._for_a_room, hears=self._hears) for call in self._desk.calls() if in_fleet(call)
        }

    def _card(self, call: Call) -> Card:
        return card(self._desk, call, for_a_room=self._for_a_room, hears=self._hears)

    def _look_at(self, call_id: str) -> None:
        if self.visible:
            self._batch.add(call_id, None)

    async def _watch(self) -> None:
        """Looks each second for calls without sound: no signal reports that."""
        while True:
            await asyncio.sleep(1)
            for call_id in self._cards:
                if self._desk.measurements.age_s(call_id) >= LOST_S:
                    self._look_at(call_id)

    def _refresh(self, ids: dict[str, None]) -> None:
        if not self.visible:
            return
        now = [call for call_id in ids if (call := find(self._desk, call_id))]
        put = [new for call in now if (new := self._card(call)) != self._cards.get(call.id)]
        gone = [call_id for call_id in self._cards if find(self._desk, call_id) is None]
        self._cards.update((one["id"], one) for one in put)
        if put:
            self._grid.run_method("put", put)
        if gone:
            self._grid.run_method("drop", gone)
        for call_id in gone:
            del self._cards[call_id]
