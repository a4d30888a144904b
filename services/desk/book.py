"""The book of calls: what is known of each as last read, which run, and under which id each goes by now."""

import asyncio
from collections.abc import Callable, Set
from datetime import UTC, datetime

from services.domain.call import NEVER_FOUND, Call, CallStatus, merge
from services.support.signals import Signal

SETTLING = 30.0
"""Seconds after its end in which a call's cost, summary and recording are still awaited."""
KEPT = 1000
"""Ended calls that are kept; the journal has them all."""


class Book:
    """The calls that run and the latest past ones. `changed` tells of each call that is new or known better; `save` writes it down."""

    def __init__(self, *, save: Callable[[Call], object]) -> None:
        self.changed: Signal[Call] = Signal()
        self._save = save
        self._calls: dict[str, Call] = {}
        self._running: set[str] = set()
        self._renamed: dict[str, str] = {}
        self._ended_at: dict[str, float] = {}

    @property
    def running(self) -> int:
        """How many calls are not proven to have ended, those of unknown outcome among them."""
        return len(self._running)

    @property
    def running_ids(self) -> Set[str]:
        """Their ids; a view, which follows the book."""
        return self._running

    def calls(self) -> list[Call]:
        """All of them, newest first."""
        start = datetime.min.replace(tzinfo=UTC)
        return sorted(self._calls.values(), key=lambda call: (call.created_at or start, call.id), reverse=True)

    def current_id(self, call_id: str) -> str:
        """The id that a call has now; another than it had while its outcome was unknown."""
        return self._renamed.get(call_id, call_id)

    def get(self, call_id: str) -> Call | None:
        """A call as last read, under any id that it ever had."""
        return self._calls.get(self.current_id(call_id))

    def awaited(self) -> list[Call]:
        """The calls that another read may change: those that run, and those whose bill is not there yet."""
        now = asyncio.get_running_loop().time()
        running = [self._calls[call_id] for call_id in self._running]
        settling = [self._calls[call_id] for call_id, ended in self._ended_at.items() if now - ended < SETTLING]
        return [call for call in running if call.status is not CallStatus.UNKNOWN] + [call for call in settling if not _settled(call)]

    def resume(self, call: Call) -> None:
        """Takes up a call that ran before this process, as the journal has it."""
        self._calls[call.id] = call
        self._running.add(call.id)

    def see(self, call: Call, *, ours: bool = False) -> None:
        """Takes in what was read of a call. One that is not known here joins only while it runs: others' past is not ours to list."""
        known = self._calls.get(call.id)
        if known and not ours and (known.updated_at, known.status) == (call.updated_at, call.status) and call.updated_at:
            return
        if known is None:
            if not ours and not call.running:
                return
            known = call
        merged = merge(known, call, now=datetime.now(UTC))
        if merged != self._calls.get(call.id):
            self._store(merged)

    def rename(self, unknown_id: str, call_id: str) -> None:
        """A call of unknown outcome has been found."""
        self._renamed[unknown_id] = call_id
        self._calls.pop(unknown_id, None)
        self._running.discard(unknown_id)

    def _store(self, call: Call) -> None:
        self._calls[call.id] = call
        if call.running:
            self._running.add(call.id)
        elif call.id not in self._ended_at:
            self._running.discard(call.id)
            self._ended_at[call.id] = asyncio.get_running_loop().time()
            while len(self._ended_at) > KEPT:
                oldest = next(iter(self._ended_at))
                del self._ended_at[oldest], self._calls[oldest]
        self._save(call)
        self.changed.emit(call)


def _settled(call: Call) -> bool:
    if call.ended_reason == NEVER_FOUND:
        return True  # nobody has a bill of it
    return bool(call.cost) and call.summary is not None and (call.recording_url is not None or not call.answered)
