"""The recordings in progress of this process: what the relay queued is written to the disk several times a second."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count

from services.listening.live_sound import LiveSound
from services.recording.disk import RecordingDisk
from services.recording.problems import Problems
from services.recording.recorder import Recorder
from services.support.events import set_within
from services.support.tasks import Tasks

_FLUSH_S = 0.25  # a crash loses at most this much sound, plus the time of a disk write
_LOOK_AT_DISK = 20  # flushes


class Recorders:
    """One recorder per call. `room` makes room on the disk and returns what prevents recording, or None.

    `heard` is called with the id of a call once it has its first sound, `ended` once its recording has ended and is written.
    """

    def __init__(
        self,
        relay: LiveSound,
        disk: RecordingDisk,
        *,
        room: Callable[[], Awaitable[str | None]],
        heard: Callable[[str], object],
        ended: Callable[[str], object],
        problems: Problems,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._relay = relay
        self._disk = disk
        self._room = room
        self._heard = heard
        self._ended = ended
        self._problems = problems
        self._clock = clock
        self._recorders: dict[str, Recorder] = {}
        self._with_sound: set[Recorder] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._tasks = Tasks()

    def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._tasks.keep(self._keep_writing, name="write recordings")

    async def aclose(self) -> None:
        """Writes what is queued. It is encoded as FLAC at the next start, so that stopping is quick."""
        self._closed = True
        for recorder in self._recorders.values():
            recorder.finish("shutdown", drain=True)
            recorder.close()
        await self._tasks.aclose()
        await self.flush()

    def __contains__(self, call_id: str) -> bool:
        """True if there is a recorder of this call, also if it has ended and is not written yet."""
        return call_id in self._recorders

    @property
    def heard_from_ms(self) -> dict[str, int | None]:
        """For each recorder the time of its first sound in milliseconds since 1970, None if there was none yet."""
        return {
            call_id: round(1000 * recorder.heard_from) if recorder.heard_from else None for call_id, recorder in self._recorders.items()
        }

    def running(self, call_id: str) -> bool:
        recorder = self._recorders.get(call_id)
        return recorder is not None and recorder.end is None

    def begin(self, call_id: str, *, missing_from: float | None = None) -> None:
        """Records from now on; `missing_from` is as for RecordingWriter. Raises CallNotFound, CallNotRunning."""
        folder = self._disk.folder.of(call_id)
        recorder = partial(Recorder, call_id=call_id, folder=folder, missing_from=missing_from, hurry=self._hurry_up, clock=self._clock)
        self._recorders[call_id] = self._relay.join(call_id, recorder)
        self._wake.set()

    def end(self, call_id: str) -> None:
        """Ends a recording, if there is one."""
        if recorder := self._recorders.get(call_id):
            recorder.close()

    def end_all(self, problem: str) -> None:
        for call_id in list(self._recorders):
            self.give_up(call_id, problem)

    def give_up(self, call_id: str, problem: str) -> None:
        self.end(call_id)
        self._problems.note(call_id, problem)

    async def flush(self) -> None:
        """Writes what is queued, and closes ended recordings."""
        # The end is read first: what comes between the two readings is taken next time.
        ends = [(recorder, recorder.end) for recorder in self._recorders.values()]
        work = [(recorder, recorder.take(), end) for recorder, end in ends]
        failures = await self._disk.write(work)
        for (recorder, _, end), problem in zip(work, failures, strict=True):
            call_id = recorder.call_id
            if end and self._recorders.get(call_id) is recorder:
                del self._recorders[call_id]
                self._with_sound.discard(recorder)
                if not self._closed:
                    self._ended(call_id)
            if problem:
                recorder.close()
                recorder.take()  # what came meanwhile, which would follow a hole that nothing marks
                self._problems.note(call_id, problem)
            elif recorder.lost_bytes:
                self._problems.note(call_id, "lost_sound")
            elif recorder.refused:
                self._problems.note(call_id, "no_sound")
            elif recorder.heard_from:
                self._problems.mended(call_id, "no_sound")
            if recorder.heard_from and not end and recorder not in self._with_sound:
                self._with_sound.add(recorder)
                self._heard(call_id)

    async def _keep_writing(self) -> None:
        for flush in count(1):
            if not self._recorders:
                self._wake.clear()
                await self._wake.wait()
            await set_within(self._hurry, _FLUSH_S)
            self._hurry.clear()
            await self.flush()
            if flush % _LOOK_AT_DISK == 0 and (problem := await self._room()):
                self.end_all(problem)

    def _hurry_up(self) -> None:
        """Called from the relay's thread."""
        if self._loop:
            self._loop.call_soon_threadsafe(self._hurry.set)
