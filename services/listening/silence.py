"""Notices when nothing comes on a connection."""

import asyncio
from collections.abc import Callable

SILENCE_S = 10.0
"""Without a frame for so long a call is silent in a way that no line is: Vapi sends pauses as sound."""


class Silence:
    """Calls `tell` with the seconds in which no frame came, every `SILENCE_S` until one comes. Count each frame in `frames`."""

    def __init__(self, tell: Callable[[float], None]) -> None:
        self.frames = 0
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._seen, self._since = 0, self._loop.time()
        self._timer = self._loop.call_later(SILENCE_S, self._look)

    def close(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        # Looking now and then costs less than a timer for each of the 50 frames a second, and is late by one interval at most.
        now = self._loop.time()
        if self.frames != self._seen:
            self._seen, self._since = self.frames, now
        else:
            self._tell(now - self._since)
        self._timer = self._loop.call_later(SILENCE_S, self._look)
