"""What was sent to each call while it ran: by whom, when, and with which outcome. A copy in memory of what the audit says."""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from services.domain.call import CallStatus
from services.domain.control import Action
from services.domain.errors import JournalError
from services.domain.speech import Speaker
from services.domain.spellings import Spellings
from services.journal import AuditRow
from services.support.log_lines import about
from services.support.signals import Signal
from services.support.tasks import Tasks

log = logging.getLogger(__name__)

MOST_ENTRIES = 500
"""Of one call: the newest."""
_KEPT = 1000  # calls

END = "end"
"""The action of an entry that hangs up; those of a running call are `control.Action`'s words."""

CONFIRMED = "confirm-dial"
"""The action of confirming on the page that an assistant may place the call."""

BY_MACHINE = "machine-dial"
"""The action of an assistant that placed the call."""

ACTIONS = frozenset({END, CONFIRMED, BY_MACHINE, *Action})
"""The actions of the audit that make up a timeline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that was sent. `detail` is what was to be said, or where the call was to go. `words` is why it was refused, else empty."""

    at: datetime
    action: str
    who: str
    detail: str
    outcome: Literal["taken", "refused"]
    words: str = ""


@dataclass(slots=True)
class _Copy:
    """The audit rows of one call, oldest first. `complete`: those that were written before this process are among them."""

    rows: list[AuditRow]
    complete: bool = False


class Timelines:
    """The timelines of the latest calls, under each call's current id. `changed` tells the id of a call whose timeline changed.

    `audit` reads the rows of a call, newest first. Raises JournalError.
    """

    def __init__(
        self, audit: Callable[[str], Awaitable[Sequence[AuditRow]]], current_id: Callable[[str], str] = lambda call_id: call_id
    ) -> None:
        self.changed: Signal[str] = Signal()
        self._audit = audit
        self._current_id = current_id
        self._copies: OrderedDict[str, _Copy] = OrderedDict()
        self._reading: set[str] = set()
        self._tasks = Tasks()

    def of(self, call_id: str) -> tuple[Entry, ...]:
        """Oldest first, without waiting. The first time it also reads the audit; `changed` tells if that has more."""
        call_id = self._current_id(call_id)
        copy = self._copies.get(call_id)
        if not (copy and copy.complete) and call_id not in self._reading:
            self._reading.add(call_id)
            self._tasks.start(self._complete(call_id), name="read timeline")
        return _entries(copy.rows) if copy else ()

    async def read(self, call_id: str) -> tuple[Entry, ...]:
        """Oldest first, as the audit has it now, whichever process wrote it. Raises JournalError."""
        call_id = self._current_id(call_id)
        found = list(reversed(await self._audit(call_id)))
        copy = self._copy_of(call_id)
        before, copy.rows, copy.complete = copy.rows, [*found, *_not_in(found, copy.rows)][-MOST_ENTRIES:], True
        if copy.rows != before:
            self.changed.emit(call_id)
        return _entries(copy.rows)

    def add(self, row: AuditRow) -> None:
        """Adds a row that is being written to the audit."""
        if row.call_id is None or row.action not in ACTIONS:
            return
        call_id = self._current_id(row.call_id)
        copy = self._copy_of(call_id)
        copy.rows = [*copy.rows, row][-MOST_ENTRIES:]
        self.changed.emit(call_id)

    def follow(self, call_id: str) -> None:
        """Reads the audit of a call again if its timeline was asked for here, because another process wrote to it."""
        call_id = self._current_id(call_id)
        if call_id in self._copies:
            self._tasks.start(self._complete(call_id), name="read timeline")

    def hide(self, spelled: Spellings) -> None:
        """Masks a number in the entries in memory, as the journal does in the audit."""
        for call_id, copy in self._copies.items():
            hidden = [_hidden(row, spelled) for row in copy.rows]
            if hidden != copy.rows:
                copy.rows = hidden
                self.changed.emit(call_id)

    def muted(self, call_id: str, who: Speaker = "assistant") -> bool:
        """True if this speaker is muted, by the last request that Vapi accepted from here."""
        mute, unmute = Action(f"mute-{who}"), Action(f"unmute-{who}")
        entries = reversed(self.of(call_id))
        requests = (entry.action for entry in entries if entry.outcome == "taken" and entry.action in (mute, unmute))
        return next(requests, None) == mute

    async def aclose(self) -> None:
        await self._tasks.aclose()

    def _copy_of(self, call_id: str) -> _Copy:
        copy = self._copies.setdefault(call_id, _Copy(rows=[]))
        self._copies.move_to_end(call_id)
        if len(self._copies) > _KEPT:
            self._copies.popitem(last=False)
        return copy

    async def _complete(self, call_id: str) -> None:
        try:
            await self.read(call_id)
        except JournalError as error:
            log.warning("could not read the timeline of a call (%s)", error.code, extra=about(call_id))
        finally:
            self._reading.discard(call_id)


def _entries(rows: Sequence[AuditRow]) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            at=row.at,
            action=row.action,
            who=row.who,
            detail=row.detail,
            # The outcome is the call's status if Vapi accepted it, otherwise the code of the error.
            outcome="taken" if row.outcome in set(CallStatus) else "refused",
            words=row.words,
        )
        for row in rows
    )


def _hidden(row: AuditRow, spelled: Spellings) -> AuditRow:
    return replace(row, to=spelled.hide(row.to) if row.to else row.to, detail=spelled.hide(row.detail), words=spelled.hide(row.words))


def _not_in(found: Sequence[AuditRow], rows: Sequence[AuditRow]) -> list[AuditRow]:
    """Those of `rows` that are still being written. Texts can't tell: numbers in written ones may have been masked since."""
    written, waiting = [_key(row) for row in found], []
    for row in rows:
        if (key := _key(row)) in written:
            written.remove(key)
        else:
            waiting.append(row)
    return waiting


def _key(row: AuditRow) -> tuple[datetime, str, str, str]:
    return row.at, row.who, row.action, row.outcome
