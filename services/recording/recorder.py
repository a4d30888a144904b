"""The listener that a recording is: it loses nothing that its disk can keep up with."""

import time
from collections.abc import Callable
from pathlib import Path

from services.listening.listener import End
from services.recording.writer import Item, RecordingWriter

_MOST_UNSAVED = 8 * 1024 * 1024  # bytes, two minutes of a usual call: a disk that is so far behind does not keep up
_MUCH = 1024 * 1024  # bytes that are not left to wait for their turn


class Recorder:
    """Keeps what the relay gives it until `take` fetches it for the `writer`, some times a second, or sooner when it calls `hurry`.

    Where more than `most_unsaved` bytes wait, new sound is lost, and marked as such: `lost_bytes`. `refused` while Vapi
    does not let the sound through; `end` says why the relay stopped.
    """

    def __init__(
        self,
        leave: Callable[["Recorder"], None],
        *,
        call_id: str,
        folder: Path,
        hurry: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        most_unsaved: int = _MOST_UNSAVED,
    ) -> None:
        self.call_id = call_id
        self.end: End | None = None
        self.ended_at = 0.0
        self.lost_bytes = 0
        self.refused = False
        self.writer = RecordingWriter(folder, call_id=call_id, epoch=time.time() - clock())
        self._leave = leave
        self._hurry = hurry
        self._clock = clock
        self._most_unsaved = most_unsaved
        self._items: list[Item] = []
        self._unsaved = 0
        self._losing = False

    def tell(self, event: str) -> None:
        if self._unsaved + len(event) > 2 * self._most_unsaved:
            self.finish("too slow", drain=True)  # a text may be the format of what follows: none can be left out
        if event.startswith('{"type":"listen-problem"'):
            self.refused = True
        self._keep(event)

    def play(self, sound: bytes, *, at_most: int) -> None:
        """`at_most` is what a live listener may be behind; a recording may be further."""
        self.refused = False
        if self._unsaved + len(sound) <= self._most_unsaved:
            self._losing = False
            return self._keep(sound)
        self.lost_bytes += len(sound)
        if not self._losing:
            self._losing = True
            self._items.append((self._clock(), None))
        return None

    def finish(self, end: End, *, drain: bool) -> None:
        """Nothing comes after this. What has come is written whatever `drain` says."""
        if self.end is None:
            self.end, self.ended_at = end, self._clock()

    def close(self) -> None:
        """Stops recording; harmless when done twice."""
        self.finish("left", drain=True)
        self._leave(self)

    def take(self) -> list[Item]:
        """What came since the last time, in order."""
        items, self._items, self._unsaved = self._items, [], 0
        return items

    def _keep(self, item: str | bytes) -> None:
        if not self.end:
            self._items.append((self._clock(), item))
            self._unsaved += len(item)
            if self._unsaved > _MUCH:
                self._hurry()
