"""The switch that stops all dialling. It is in the journal, so that it survives restarts and applies to all processes."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from services.dialling.journal_states import States
from services.domain.errors import EarshotError, JournalError
from services.support.signals import Signal
from services.support.tasks import Tasks

log = logging.getLogger(__name__)

STATE = "stop"
"""The name of the state in the journal: empty while dialling is allowed, else the stop as JSON."""

FILE = "file"
"""Who stopped dialling if a file of an earlier version does not say, for example after `touch stopped`."""

Note = Callable[[str, str, str], Awaitable[None]]
"""Records who did what, and why."""

_PATIENCE_S = 1.0  # for which a stop waits to be written; then it is answered, and the writing continues
_RETRY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Who stopped dialling, when, and why. The reason may be empty."""

    by: str
    since: datetime
    reason: str = ""

    def dump(self) -> str:
        return json.dumps({"by": self.by, "since": self.since.isoformat(), "reason": self.reason})


class Switch:
    """`state` is None while dialling is allowed. `changed` emits each change, whichever process made it.

    `journal` keeps the state, and `note` records each stop and resume that was requested here.
    """

    def __init__(self, journal: States, note: Note | None = None) -> None:
        self.changed: Signal[Stop | None] = Signal()
        self.state: Stop | None = None
        self.state_name = STATE
        self._journal = journal
        self._note = note
        self._revision = -1
        self._writing: asyncio.Task[None] | None = None
        self._tasks = Tasks()

    async def load(self) -> None:
        """Reads the state. Raises JournalError."""
        self.follow(*await self._journal.state(STATE))

    def follow(self, value: str, revision: int) -> None:
        """Applies the journal's state, unless a newer state is known or a stop is still being written."""
        if revision > self._revision and not self._unwritten:
            self._revision = revision
            self._set(parse(value))

    async def stop(self, who: str, why: str = "") -> Stop:
        """Stops dialling here at once, and in all processes once the journal has it: that is tried until it succeeds.

        If it is already stopped, the first stop stays on record.
        """
        stop = self.state or Stop(by=who, since=datetime.now(UTC), reason=why)
        self._set(stop)
        before = self._writing if self._unwritten else None
        self._writing = self._tasks.keep(partial(self._write, stop, who, why, before), name="write stop")
        await asyncio.wait({self._writing}, timeout=_PATIENCE_S)
        return self.state or stop

    async def resume(self, who: str) -> None:
        """Allows dialling again. Raises JournalError if that can't be written; then dialling stays stopped."""
        await self._tasks.aclose()  # every stop that is still being written, not only the latest
        _, self._revision = await self._journal.change_state(STATE, lambda _: "")
        if self.state:
            log.warning("dialling was resumed by %s", who)
        self._set(None)
        await self._record(who, "resume-dialling", "")

    async def aclose(self) -> None:
        if self._unwritten:
            log.error("the stop of dialling could not be written to the journal: it ends with this process")
        await self._tasks.aclose()

    @property
    def _unwritten(self) -> bool:
        return self._writing is not None and not self._writing.done()

    async def _write(self, stop: Stop, who: str, why: str, before: asyncio.Task[None] | None) -> None:
        if before:
            await asyncio.wait({before})
        wanted = stop.dump()
        while True:
            try:
                value, self._revision = await self._journal.change_state(STATE, lambda known: known or wanted)
                break
            except JournalError as error:
                log.error("dialling is stopped for this process only, trying again: %s", error.detail)
                await asyncio.sleep(_RETRY_S)
        if value == wanted:
            log.warning("dialling was stopped by %s", who)
        self._set(parse(value))
        await self._record(who, "stop-dialling", why)

    async def _record(self, who: str, what: str, why: str) -> None:
        """Called after the change, because a broken journal must not prevent a stop."""
        if self._note:
            try:
                await self._note(who, what, why)
            except EarshotError as error:
                log.error("could not record who stopped or resumed dialling (%s)", error.code)

    def _set(self, state: Stop | None) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit(state)


def parse(value: str) -> Stop | None:
    """The stop in the journal's words. Whatever can't be read stops dialling: it never counts as permission."""
    if not value:
        return None
    try:
        found = json.loads(value)
        return Stop(by=str(found["by"]), since=datetime.fromisoformat(found["since"]).astimezone(UTC), reason=str(found["reason"]))
    except (ValueError, TypeError, KeyError):
        return Stop(by=FILE, since=datetime.fromtimestamp(0, UTC), reason=value.strip()[:200])
