"""Moments and durations, formatted by the browser: it knows the reader's time zone, and ticks without the server."""

from datetime import datetime
from pathlib import Path

from nicegui.element import Element

from ui.kit.markup import set_props

FORMATS = Path(__file__).with_name("times.js")
"""The formatting itself, for components that import `times`."""


class LocalTime(Element, component="local_time.js", dependencies=[FORMATS]):
    """A moment in the reader's time zone. `brief` leaves out the seconds, and shows the date instead if it is not today. `dated`
    shows both, `full` with the day of the week too.
    """

    def __init__(self, at: datetime | None = None, *, brief: bool = False, dated: bool = False, full: bool = False) -> None:
        super().__init__()
        set_props(self, brief=brief, dated=dated, full=full)
        self.show(at)

    def show(self, at: datetime | None) -> None:
        set_props(self, at=milliseconds(at))


class CallClock(Element, component="call_clock.js", dependencies=[FORMATS, "tab_title.js"]):
    """How long a call has lasted. Hidden until it is answered; stops when it ends."""

    def __init__(self, since: datetime | None = None, until: datetime | None = None) -> None:
        super().__init__()
        self.show(since, until)

    def show(self, since: datetime | None, until: datetime | None) -> None:
        set_props(self, since=milliseconds(since), until=milliseconds(until))
        self.set_visibility(since is not None)

    def name_tab(self, who: str, state: str) -> None:
        """Names the browser's tab after the call, with its running time, until the clock is removed."""
        set_props(self, who=who, state=state)


def milliseconds(moment: datetime | None) -> int | None:
    """Milliseconds since 1970, as browsers count time."""
    return round(moment.timestamp() * 1000) if moment else None
