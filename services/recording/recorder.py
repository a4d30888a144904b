"""A relay listener that records. It loses nothing as long as the disk keeps up."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from services.listening.listener import End
from services.recording.writer import Item, RecordingWriter

_MOST_UNSAVED = 8 * 1024 * 1024  # bytes, two minutes of a normal call; a disk that is further behind does not keep up
_MUCH = 1024 * 1024  # bytes that are written without waiting for the next flush


class Recorder:
    """Queues what the relay sends until `take` fetches it for the `writer`, several times a second. Calls `hurry` when much is waiting.

    If more than `most_unsaved` bytes are waiting, new sound is dropped, marked and counted in `lost_bytes`. `refused` is True while Vapi
    does not provide the sound. `heard_from` is the Unix time of the first sound. `end` says why the relay stopped. `missing_from` is as for
    RecordingWriter. `take` and `close` may be called from another thread than the rest.
    """

    def __init__(
        self,
        leave: Callable[["Recorder"], None],
        *,
        call_id: str,
        folder: Path,
        missing_from: float | None = None,
        hurry: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        most_unsaved: int = _MOST_UNSAVED,
    ) -> None:
        self.call_id = call_id
        self.end: End | None = None
        self.ended_at = 0.0
        self.lost_bytes = 0
        self.refused = False
        self.heard_from: float | None = None
        self.writer = RecordingWriter(folder, call_id=call_id, epoch=time.time() - clock(), missing_from=missing_from)
        self._leave = leave
        self._hurry = hurry
        self._clock = clock
        self._most_unsaved = most_unsaved
        self._items: list[Item] = []
        self._unsaved = 0
        self._losing = False
        self._lock = threading.Lock()

    def tell(self, event: str) -> None:
        if self._unsaved + len(event) > 2 * self._most_unsaved:
            self.finish("too slow", drain=True)  # a text may announce the format of the sound after it, so none can be dropped
        if event.startswith('{"type":"listen-problem"'):
            self.refused = True
        self._keep(event)

    def play(self, sound: bytes, *, at_most: int) -> None:
        """`at_most` limits live listeners; a recording may be further behind."""
        self.refused = False
        self.heard_from = self.heard_from or time.time()
        if self._unsaved + len(sound) <= self._most_unsaved:
            self._losing = False
            return self._keep(sound)
        self.lost_bytes += len(sound)
        if not self._losing:
            self._losing = True
            with self._lock:
                self._items.append((self._clock(), None))
        return None

    def finish(self, end: End, *, drain: bool) -> None:
        """Accepts nothing more. What is queued is written whatever `drain` says."""
        if self.end is None:
            self.end, self.ended_at = end, self._clock()

    def close(self) -> None:
        """Stops recording. May be called twice."""
        self.finish("left", drain=True)
        self._leave(self)

    def take(self) -> list[Item]:
        """What came since the last call, in order."""
        with self._lock:
            items, self._items, self._unsaved = self._items, [], 0
        return items

    def _keep(self, item: str | bytes) -> None:
        if not self.end:
            with self._lock:
                self._items.append((self._clock(), item))
                self._unsaved += len(item)
            if self._unsaved > _MUCH:
                self._hurry()
