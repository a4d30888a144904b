"""Moves a scheduled call to another time."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from nicegui.element import Element

from services.desk.desk import CallDesk
from services.domain.call import Call
from services.domain.errors import RequestError
from services.domain.schedule import moved
from ui.kit.given import fields_of
from ui.kit.markup import set_props
from ui.kit.notice import Notice
from ui.kit.times import milliseconds
from ui.kit.visitor import visitor
from ui.words import say

_WORDS = ("move_call", "move_begins", "move_latest", "move_yes", "moving")


class Reschedule(Element, component="reschedule.js"):
    """Fields for the new time. Problems are shown in `notice`; `select` is called with the id of the call in its place."""

    def __init__(self, call: Call, *, desk: CallDesk, notice: Notice, select: Callable[[str], None]) -> None:
        super().__init__()
        self._call = call
        self._desk = desk
        self._notice = notice
        self._select = select
        self._busy = False
        set_props(self, words={word: say(word) for word in _WORDS})
        self.on("move", lambda event: self._move(fields_of(event)))
        self.refresh(call)

    def refresh(self, call: Call) -> None:
        """Updates to a changed call."""
        self._call = call
        set_props(self, at=milliseconds(call.earliest_at), by=milliseconds(call.latest_at))

    async def _move(self, args: Mapping[str, Any]) -> None:
        if self._busy:
            return
        self._busy = True
        set_props(self, busy=True)
        self._notice.hide()
        try:
            earliest_at, latest_at = moved(_time(args, "earliest"), _time(args, "latest"), now=datetime.now(UTC))
            placed = await self._desk.reschedule(self._call.id, visitor(), earliest_at=earliest_at, latest_at=latest_at)
        except RequestError:
            self._notice.show(say("move_call"), say("move_times"))
        except Exception as error:
            if not self._notice.is_deleted:
                self._notice.show_error(error)
        else:
            if not self.is_deleted:
                self._select(placed.call.id)
        self._busy = False
        if not self.is_deleted:
            set_props(self, busy=False)


def _time(args: Mapping[str, Any], name: str) -> datetime | None:
    """A time as the browser sent it. Raises RequestError."""
    value = args.get(name)
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC) if value is not None else None
    except (ValueError, OverflowError):
        raise RequestError("This is not a time.") from None
