"""What was sent to a call while it ran: by whom, when, and whether Vapi took it."""

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.domain.call import CallStatus
from services.domain.control import Action
from services.journal import AuditRow
from services.support.signals import Signal

_KEPT = 1000  # calls
_MOST = 500  # entries of one call

END = "end"
"""The action of an entry that hangs up; all others are `control.Action`'s words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that was sent. `detail` is what was to be said or where the call was to go; `words` why it was refused, else empty."""

    at: datetime
    action: str
    who: str
    detail: str
    outcome: Literal["taken", "refused"]
    words: str = ""


class Timelines:
    """The entries of the latest calls, under whichever id each has by now. `changed` tells the id of a call with a new one."""

    def __init__(self, current_id: Callable[[str], str] = lambda call_id: call_id) -> None:
        self.changed: Signal[str] = Signal()
        self._current_id = current_id
        self._entries: OrderedDict[str, deque[Entry]] = OrderedDict()

    def of(self, call_id: str) -> tuple[Entry, ...]:
        """Oldest first."""
        return tuple(self._entries.get(self._current_id(call_id), ()))

    def add(self, call_id: str, entry: Entry) -> None:
        call_id = self._current_id(call_id)
        self._entries.setdefault(call_id, deque(maxlen=_MOST)).append(entry)
        self._entries.move_to_end(call_id)
        if len(self._entries) > _KEPT:
            self._entries.popitem(last=False)
        self.changed.emit(call_id)

    def muted(self, call_id: str) -> bool:
        """Whether the assistant is muted, as last told by us."""
        told = (
            entry.action
            for entry in reversed(self._entries.get(self._current_id(call_id), ()))
            if entry.outcome == "taken" and entry.action in (Action.MUTE_ASSISTANT, Action.UNMUTE_ASSISTANT)
        )
        return next(told, None) == Action.MUTE_ASSISTANT


def entries_of(audit: Sequence[AuditRow]) -> tuple[Entry, ...]:
    """What the audit, newest first, knows of a timeline."""
    return tuple(
        Entry(
            at=row.at,
            action=row.action,
            who=row.who,
            detail=row.detail,
            # A call's state stands there where Vapi took it, and else the code of what went wrong.
            outcome="taken" if row.outcome in set(CallStatus) else "refused",
        )
        for row in reversed(audit)
        if row.action == END or row.action in set(Action)
    )
