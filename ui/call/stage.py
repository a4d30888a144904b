"""The stage: the selected call, the one being placed, or an invitation to dial."""

import random
from collections.abc import Callable

from nicegui import ui

from services.desk.desk import CallDesk
from services.domain.call import Call, CallOrder
from services.listening.relay import Relay
from services.recording.recordings import Recordings
from ui.call.call_card import CallCard
from ui.call.call_head import CallHead
from ui.call.open_calls import OpenCalls
from ui.kit.markup import Box, Text
from ui.words import say
from ui.words.calls import number, subtitle


class Stage:
    """Shows one thing at a time. `dial_again` is called with the number of a call to repeat, `select` with the id of an open call."""

    def __init__(
        self,
        *,
        desk: CallDesk,
        relay: Relay,
        recordings: Recordings,
        issue_ticket: Callable[[str], str],
        dial_again: Callable[[str], None],
        select: Callable[[str], None],
        example: str,
    ) -> None:
        self._desk = desk
        self._recordings = recordings
        self._issue_ticket = issue_ticket
        self._dial_again = dial_again
        self._select = select
        self._example = example
        self.card: CallCard | None = None
        self._section = Box("section", "card stage", aria_label=say("stage"))
        with self._section:
            self._open = OpenCalls(relay=relay, choose=select)
            self._box = Box()
        self.show_nothing()

    def show_nothing(self) -> None:
        self._empty("empty")
        with self._box, Box(classes="invitation"):
            ui.html(_drawing(), sanitize=False).classes("drawing")
            Text("h2", say("empty_title"))
            Text("p", say("empty"))
            if self._example:
                Text("button", say("use_example"), "btn", type="button").on("click", lambda: self._dial_again(self._example))

    def show_placing(self, order: CallOrder) -> None:
        self._empty("busy")
        with self._box:
            CallHead(number(order), subtitle(self._desk, order))

    def show(self, call: Call, *, listen: bool = False) -> None:
        """Shows `call`, and starts its sound if `listen`. The call shown before falls silent but stays open."""
        self._empty("", call)
        with self._box:
            self.card = CallCard(
                call,
                desk=self._desk,
                recordings=self._recordings,
                issue_ticket=self._issue_ticket,
                listen=listen,
                dial_again=self._dial_again,
                select=self._select,
            )

    def refresh(self, call: Call) -> None:
        """Updates the open calls when one of them changed."""
        self._open.refresh(call)

    def _empty(self, state: str, call: Call | None = None) -> None:
        self.card = None
        self._box.clear()
        self._section.classes(replace=f"card stage {state}")
        self._open.show(call)


def _drawing() -> str:
    """Two people taking turns, drawn like the lanes of a call: the latest speech is the clearest."""
    even = random.Random(7)  # noqa: S311 - a picture, the same each time
    lanes = []
    for speaker, middle, turns in (("customer", 26, ((16, 30), (50, 58))), ("assistant", 78, ((2, 14), (32, 47), (60, 70)))):
        tall = (2.7 + 17 * even.random() if any(first <= bar <= last for first, last in turns) else 0.1 for bar in range(72))
        bars = "".join(f"M{5 * bar + 1.3:g} {middle - half:.1f}v{2 * half:.1f}" for bar, half in enumerate(tall))
        stops = '<stop stop-opacity=".3"/><stop offset="1"/>'
        lanes.append(
            f'<g class="{speaker}"><linearGradient id="{speaker}-lane" gradientUnits="userSpaceOnUse" x2="360">{stops}</linearGradient>'
            f'<path stroke="url(#{speaker}-lane)" d="{bars}"/></g>'
        )
    return f'<svg viewBox="0 0 360 104" aria-hidden="true">{"".join(lanes)}</svg>'
