"""The calls in memory: each as last read, which of them run, and the current id of each."""

import asyncio
from collections.abc import Callable, Set
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.domain.call import OWN_REASONS, Call, CallStatus, merge
from services.domain.sip_uri import rings_at
from services.support.signals import Signal

SETTLING = 30.0
"""Seconds after a call's end in which its cost, summary and recording are still awaited."""
_LATELY = timedelta(minutes=10)
"""How long ago a call of another process may have been made to be added after its end."""
KEPT = 1000
"""Ended calls kept in memory; the journal has them all."""


class Book:
    """The running calls and the latest ended ones. `changed` emits each new or changed call; `save` writes it to the journal. `hidden`
    returns what may be kept of a call that was read.
    """

    def __init__(self, *, save: Callable[[Call], object], hidden: Callable[[Call], Call] = lambda call: call) -> None:
        self.changed: Signal[Call] = Signal()
        self._save = save
        self._hidden = hidden
        self._calls: dict[str, Call] = {}
        self._running: set[str] = set()
        self._renamed: dict[str, str] = {}
        self._ended_at: dict[str, float] = {}

    @property
    def running(self) -> int:
        """The number of calls without a confirmed end, including those of unknown outcome."""
        return len(self._running)

    @property
    def running_ids(self) -> Set[str]:
        """Their ids, as a live view."""
        return self._running

    def calls(self) -> list[Call]:
        """All calls in memory, newest first."""
        start = datetime.min.replace(tzinfo=UTC)
        return sorted(self._calls.values(), key=lambda call: (call.created_at or start, call.id), reverse=True)

    def current_id(self, call_id: str) -> str:
        """The call's current id, which differs from the one it had while its outcome was unknown."""
        return self._renamed.get(call_id, call_id)

    def get(self, call_id: str) -> Call | None:
        """The call as last read, by any id that it ever had."""
        return self._calls.get(self.current_id(call_id))

    def awaited(self) -> list[Call]:
        """The calls that another read may change: running ones, and ended ones whose cost is not known yet."""
        now = asyncio.get_running_loop().time()
        running = [self._calls[call_id] for call_id in self._running]
        settling = [self._calls[call_id] for call_id, ended in self._ended_at.items() if now - ended < SETTLING]
        return [call for call in running if call.status is not CallStatus.UNKNOWN] + [call for call in settling if not _settled(call)]

    def running_with(self, number: str) -> Call | None:
        """A running call with this number, or SIP address as `rings_at` writes it, of any origin. A scheduled call is not running yet."""
        calls = (self._calls[call_id] for call_id in self._running)
        return next(
            (call for call in calls if number in (call.to, rings_at(call.sip_uri or "")) and call.status is not CallStatus.SCHEDULED), None
        )

    def resume(self, call: Call) -> None:
        """Adds a call from the journal that was running, or whose cost was awaited, before this process started."""
        self._calls[call.id] = call
        if call.running:
            self._running.add(call.id)
        else:
            self._ended_at[call.id] = asyncio.get_running_loop().time()

    def see(self, call: Call, *, ours: bool = False) -> None:
        """Updates a call with what was read. An unknown call is added only if it is running: past calls of other systems are not listed."""
        known = self._calls.get(call.id)
        if known and not ours and (known.updated_at, known.status) == (call.updated_at, call.status) and call.updated_at:
            return
        if known is None:
            if not ours and not call.running:
                return
            known = call
        merged = self._hidden(merge(known, call, now=datetime.now(UTC)))
        if merged != self._calls.get(call.id):
            self._store(merged)

    def follow(self, call: Call) -> None:
        """Updates a call with what another process wrote to the journal. Adds it if it is running or was made lately."""
        if call.id in self._renamed:
            return  # late news: the call has been found since
        known = self._calls.get(call.id)
        now = datetime.now(UTC)
        if known is None:
            if not call.running and call.created_at and now - call.created_at > _LATELY:
                return
            merged = call
        elif known.updated_at and call.updated_at and call.updated_at < known.updated_at:
            merged = merge(call, known, now=now)
        else:
            merged = replace(merge(known, call, now=now), ringing_at=call.ringing_at or known.ringing_at)
        if merged != known:
            self._keep(merged)

    def rename(self, unknown_id: str, call_id: str) -> None:
        """Gives a call of unknown outcome the id under which it was found."""
        self._renamed[unknown_id] = call_id
        self._calls.pop(unknown_id, None)
        self._running.discard(unknown_id)

    def _store(self, call: Call) -> None:
        self._save(call)
        self._keep(call)

    def _keep(self, call: Call) -> None:
        self._calls[call.id] = call
        if call.running:
            self._running.add(call.id)
        elif call.id not in self._ended_at:
            self._running.discard(call.id)
            self._ended_at[call.id] = asyncio.get_running_loop().time()
            while len(self._ended_at) > KEPT:
                oldest = next(iter(self._ended_at))
                del self._ended_at[oldest], self._calls[oldest]
        self.changed.emit(call)


def _settled(call: Call) -> bool:
    if call.erasure or call.ended_reason in OWN_REASONS:
        return True
    return bool(call.cost) and call.summary is not None and (call.recording_url is not None or not call.answered)
