"""The counts of successive relay processes, added up. A process that does not answer with its counts hangs."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from services.listening.relay_counts import RelayCounts

_COUNTED_WITHIN_S = 1.0
_ASKED_EVERY_S = 10.0
_MOST_UNANSWERED = 3  # in a row: this process may have been busy or suspended for one


class RemoteCounts:
    """`ask` requests the counts of the relay's process, which arrive at `take`; it returns False if there is no process now."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask
        self._latest, self._of_earlier = RelayCounts(), RelayCounts()
        self._came = asyncio.Event()

    def take(self, counts: RelayCounts) -> None:
        self._latest = counts
        self._came.set()

    def lost(self) -> None:
        """The process is gone. Its counts are kept."""
        self._of_earlier.add(self._latest)
        self._latest = RelayCounts()

    async def now(self) -> RelayCounts:
        """The counts of all processes as of now, or as they were last if the relay's process does not answer."""
        await self._answered(_COUNTED_WITHIN_S)
        counts = RelayCounts()
        counts.add(self._of_earlier)
        counts.add(self._latest)
        return counts

    async def until_hanging(self) -> None:
        """Returns once the process has not answered three times in a row, within a minute."""
        unanswered = 0
        while unanswered < _MOST_UNANSWERED:
            await asyncio.sleep(_ASKED_EVERY_S)
            unanswered = 0 if await self._answered(_ASKED_EVERY_S) else unanswered + 1

    async def _answered(self, within_s: float) -> bool:
        """False if the process does not answer; True also if there is none."""
        self._came.clear()
        if not self._ask():
            return True
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._came.wait()
        return self._came.is_set()
