"""Who receives a call's live sound and events: the interface, and a listener that queues them and may be slow."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Literal, Protocol, Self

_MOST_EVENTS = 10_000  # queued for one listener; a listener so far behind has stopped reading

End = Literal["call ended", "left", "shutdown", "too slow", "failed"]


class Sink(Protocol):
    """Receives what comes out of an upstream. Called on the relay's event loop, so it must return quickly. `end` says why nothing more
    comes."""

    end: End | None

    def tell(self, event: str) -> None: ...
    def play(self, sound: bytes, *, at_most: int) -> None: ...
    def finish(self, end: End, *, drain: bool) -> None: ...


class Listener:
    """A listener. Iterating yields start frames and events (str, JSON) and sound (bytes, whole blocks) in the order they came.

    The iteration ends with the call, after everything queued; `end` says why. A slow listener loses the oldest sound (`dropped_bytes`),
    which an event says in its place, and never events. Without `sound` or `events` it receives none of these.

    Iterate it on the loop on which it was made. If that is not the relay's loop, it must do without `sound`.
    """

    def __init__(self, leave: Callable[["Listener"], None], *, sound: bool = True, events: bool = True) -> None:
        self._wants_sound, self._wants_events = sound, events
        self.end: End | None = None
        self.dropped_bytes = 0
        self._unreported_bytes = 0  # of them, those that no event has named yet
        self.came_at = 0.0
        """When the sound that was taken last had come, in seconds of the loop's clock."""
        self._leave = leave
        self._count = 0
        self._sound: deque[tuple[int, bytes, float]] = deque()
        self._sound_bytes = 0
        self._events: deque[tuple[int, str]] = deque()
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str | bytes:
        while not self._sound and not self._events:
            if self.end:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        if not self._sound or (self._events and self._events[0][0] < self._sound[0][0]):
            return self._events.popleft()[1]
        if self._unreported_bytes and self._wants_events:
            dropped, self._unreported_bytes = self._unreported_bytes, 0
            return json.dumps({"type": "stream", "state": "dropped", "bytes": dropped}, separators=(",", ":"))
        _, sound, self.came_at = self._sound.popleft()
        self._sound_bytes -= len(sound)
        return sound

    def close(self) -> None:
        """Stops listening. May be called twice."""
        self.finish("left", drain=False)
        self._leave(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def tell(self, event: str) -> None:
        """Queues a text frame. A listener with too many queued events is ended as too slow."""
        if not self._wants_events:
            return
        if len(self._events) >= _MOST_EVENTS:
            self.finish("too slow", drain=False)
        elif not self.end:
            self._count += 1
            self._events.append((self._count, event))
            self._wake()

    def play(self, sound: bytes, *, at_most: int) -> None:
        """Queues sound, and drops the oldest beyond `at_most` bytes: for live listening the newest matters most."""
        if self.end or not self._wants_sound:
            return
        self._count += 1
        self._sound.append((self._count, sound, self._loop.time()))
        self._sound_bytes += len(sound)
        while self._sound_bytes > at_most and len(self._sound) > 1:
            dropped = len(self._sound.popleft()[1])
            self._sound_bytes -= dropped
            self.dropped_bytes += dropped
            self._unreported_bytes += dropped
        self._wake()

    def finish(self, end: End, *, drain: bool) -> None:
        """Ends the iteration: after everything queued with `drain`, otherwise at once."""
        self.end = self.end or end
        if not drain:
            self._sound.clear()
            self._events.clear()
        self._wake()

    def _wake(self) -> None:
        if asyncio._get_running_loop() is self._loop:
            self._news.set()
        else:
            self._loop.call_soon_threadsafe(self._news.set)
