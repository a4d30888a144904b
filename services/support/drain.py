"""Work that must be finished before the process ends: counted while it runs, waited for at the end."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from services.domain.errors import ShuttingDown
from services.support.events import set_within


class Drain:
    """Counts the work that is under way. Once it closes, no new work begins."""

    def __init__(self) -> None:
        self.closing = False
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def check(self) -> None:
        """Raises ShuttingDown once it closes."""
        if self.closing:
            raise ShuttingDown("Earshot is being stopped or restarted and places no new call. Try again in a few seconds.", retry_after=5)

    @contextmanager
    def work(self) -> Iterator[None]:
        """Counts as work under way, also while it closes: whoever must not begin then calls `check` first."""
        self._under_way += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def close(self, within: float) -> bool:
        """Admits no new work and waits for what is under way, at most `within` seconds. False if some of it is not finished by then."""
        self.closing = True
        return await set_within(self._idle, within)
