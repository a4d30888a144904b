"""Moments and durations, written by the browser: it knows the reader's time zone and language, and ticks without asking the server."""

from datetime import datetime
from pathlib import Path

from nicegui.element import Element

from ui.kit.markup import set_props

FORMATS = Path(__file__).with_name("times.js")
"""How moments and durations are written, for a component that writes some: it imports `times`."""


class LocalTime(Element, component="local_time.js", dependencies=[FORMATS]):
    """A moment in the reader's own time; `brief` leaves out seconds, and gives the date where it is not today's."""

    def __init__(self, at: datetime | None = None, *, brief: bool = False) -> None:
        super().__init__()
        set_props(self, brief=brief)
        self.show(at)

    def show(self, at: datetime | None) -> None:
        set_props(self, at=milliseconds(at))


class CallClock(Element, component="call_clock.js", dependencies=[FORMATS]):
    """How long a call has lasted; nothing until it is answered, standing still once it is over."""

    def __init__(self, since: datetime | None = None, until: datetime | None = None) -> None:
        super().__init__()
        self.show(since, until)

    def show(self, since: datetime | None, until: datetime | None) -> None:
        set_props(self, since=milliseconds(since), until=milliseconds(until))
        self.set_visibility(since is not None)


def milliseconds(moment: datetime | None) -> int | None:
    """Since 1970, as browsers count time."""
    return round(moment.timestamp() * 1000) if moment else None
