"""The account's lines. Each call under way holds one; further calls wait their turn, as at Vapi."""

import asyncio
from collections import deque


class Lines:
    """`total` lines. Use it on the event loop."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.busy = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def remaining(self) -> int:
        return self.total - self.busy

    def try_take(self) -> bool:
        """Takes a line if one is free and nobody waits for it."""
        if self.busy >= self.total or any(not waiter.done() for waiter in self._waiting):
            return False
        self.busy += 1
        return True

    async def take(self) -> None:
        """Waits for a line."""
        if self.try_take():
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        """Frees a line, for whoever has waited longest."""
        while self._waiting:
            if not (waiter := self._waiting.popleft()).done():
                waiter.set_result(None)
                return
        self.busy -= 1
