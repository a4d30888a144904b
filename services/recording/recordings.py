"""Recordings: which calls are recorded, and what is kept of them. The page and the REST routes use this object."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Protocol, TypeVar

import soundfile

from services.domain.call import Call, CallStatus
from services.domain.client import Client
from services.domain.errors import CallNotFound, CallNotRunning, CantRecord, EarshotError, JournalError, RecordingDamaged, RecordingNotFound
from services.listening.relay import Relay
from services.recording.disk import RecordingDisk
from services.recording.folder import FinishedRecording
from services.recording.recorder import Recorder
from services.support.signals import Signal
from services.support.tasks import Tasks

log = logging.getLogger(__name__)
T = TypeVar("T")

PROBLEMS = {
    "disk_full": "The disk is nearly full, so nothing is recorded. Free some space, or set EARSHOT_RECORDINGS to a folder on another disk.",
    "limit": "The recordings fill EARSHOT_RECORDINGS_MB and no older one is left to delete. Raise the limit to go on recording.",
    "disk": "The recording can't be written. Make sure that the folder of the recordings can be written to.",
    "elsewhere": "Another process is recording this call already.",
    "lost_sound": "The disk did not keep up, and some sound is missing from the recording. Its marks say where.",
    "no_sound": "Vapi does not let this call's sound through, so there is nothing to record yet. Earshot keeps trying.",
    "unfinished": "The recording could not be turned into FLAC. Earshot tries again at its next start; the log says more.",
}
"""The explanations of what `problem` returns."""

_EARSHOT = Client(name="earshot")
LEASE_RENEWAL_S = 2.0
_FLUSH = 0.25  # seconds; a crash loses at most this much sound, plus the time of a disk write
_LOOK_AT_DISK = 20  # flushes
_FREE_FLOOR = 500_000_000  # bytes that must stay free on the disk
_REMEMBERED = 1000  # calls whose switched-off recording, or its problem, is remembered


class Leases(Protocol):
    """The part of the journal that recordings need. All methods raise JournalError."""

    async def take_lease(self, call_id: str) -> bool: ...
    async def renew_leases(self, call_ids: Collection[str]) -> set[str]: ...
    async def stale_leases(self) -> list[str]: ...
    async def release_lease(self, call_id: str) -> None: ...
    async def hand_over_leases(self) -> None: ...


class Recordings:
    """Records calls into `folder`, at most `limit` bytes in total; the oldest are deleted first.

    `leases` see to it that one process records a call, and that another takes over if that dies.
    `default`: record every call unless it is switched off. `note` writes the audit.
    `changed` emits the id of each call for which `recording`, `has` or `problem` may have changed.
    """

    def __init__(
        self,
        folder: Path,
        *,
        relay: Relay,
        find: Callable[[str], Call | None],
        note: Callable[[Client, str, Call], object],
        limit: int,
        leases: Leases | None = None,
        default: bool = False,
        free_floor: int = _FREE_FLOOR,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.changed: Signal[str] = Signal()
        self.default = default
        self._leases = leases
        self._disk = RecordingDisk(folder, limit=limit, free_floor=free_floor)
        self._relay = relay
        self._find = find
        self._note = note
        self._clock = clock
        self._recorders: dict[str, Recorder] = {}
        self._problems: dict[str, str] = {}
        self._switched_off: dict[str, None] = {}
        self._kept: set[str] = set()
        self._finishers: dict[str, asyncio.Task[None]] = {}
        self._closed = False
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._tasks = Tasks()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open(self) -> None:
        """Finds existing recordings, and finishes in the background those that a crash or a stop interrupted."""
        self._loop = asyncio.get_running_loop()
        self._kept = await self._disk.finished()
        self._tasks.start(self._finish_all(), name="finish recordings")
        self._tasks.start(self._keep_writing(), name="write recordings")
        if self._leases:
            self._tasks.start(self._keep_leases(self._leases), name="renew leases")

    async def aclose(self) -> None:
        """Writes what is queued. It is encoded as FLAC at the next start, so that stopping is quick."""
        if self._closed:
            return
        self._closed = True
        for recorder in self._recorders.values():
            recorder.finish("shutdown", drain=True)
            recorder.close()
        await self._tasks.aclose()
        await self._flush()
        await self._disk.aclose()
        if self._leases:
            try:
                await self._leases.hand_over_leases()
            except JournalError as error:
                log.warning("other processes take over the recordings late: %s", error.detail)

    def recording(self, call_id: str) -> bool:
        """True if this call is being recorded, or will be once there is sound."""
        recorder = self._recorders.get(self._id(call_id))
        return recorder is not None and recorder.end is None

    def has(self, call_id: str) -> bool:
        """True if there is a finished recording of this call."""
        return self._id(call_id) in self._kept

    def problem(self, call_id: str) -> str | None:
        """The problem with this call's recording: a key of PROBLEMS."""
        return self._problems.get(self._id(call_id))

    async def start(self, call_id: str, client: Client) -> None:
        """Records from now on. Does nothing if the call is being recorded. Raises CallNotFound, CallNotRunning, CantRecord."""
        call = self._find(call_id)
        if call is None:
            raise CallNotFound("There is no call with this id.")
        if not call.running:
            raise CallNotRunning("This call has ended.")
        if problem := await self._make_room():
            self._tell(call.id, problem)
            raise CantRecord(PROBLEMS[problem], code=problem)
        if finisher := self._finishers.get(call.id):
            await asyncio.wait({finisher})
        if self._closed or call.id in self._recorders:
            return
        if not await self._may_record(call.id):
            raise CantRecord(PROBLEMS["elsewhere"], code="elsewhere")
        if self._closed or call.id in self._recorders:
            return
        recorder = partial(Recorder, call_id=call.id, folder=self._disk.folder.of(call.id), hurry=self._hurry_up, clock=self._clock)
        self._recorders[call.id] = self._relay.join(call.id, recorder)
        self._switched_off.pop(call.id, None)
        self._problems.pop(call.id, None)
        self._note(client, "record", call)
        self._wake.set()
        self.changed.emit(call.id)

    async def stop(self, call_id: str, client: Client) -> None:
        """Stops recording. What was recorded is kept and will soon be playable. Raises CallNotFound."""
        call = self._find(call_id)
        if call is None:
            raise CallNotFound("There is no call with this id.")
        _remember(self._switched_off, call.id, None)
        if self.recording(call.id):
            self._recorders[call.id].close()
            self._note(client, "stop-recording", call)
            self.changed.emit(call.id)
            await self._flush()

    async def get(self, call_id: str) -> FinishedRecording | None:
        """The finished recording of a call. Raises RecordingNotFound for an invalid id."""
        return await asyncio.to_thread(self._disk.folder.read, self._id(call_id))

    async def text(self, call_id: str, what: str) -> bytes:
        """`recording`, `transcript` or `peaks` as JSON. Raises RecordingNotFound, RecordingUnfinished."""
        return await asyncio.to_thread(self._disk.folder.text, self._id(call_id), what)

    async def part(self, call_id: str, number: int, client: Client, *, action: str | None) -> Path:
        """The FLAC file of one part, counted from 1. `action` goes into the audit. Raises RecordingNotFound, RecordingUnfinished."""
        recording = await self.get(call_id)
        if recording is None:
            raise await asyncio.to_thread(self._disk.folder.absent, self._id(call_id))
        path = next((path for path in recording.parts if path.stem == str(number)), None)
        if path is None:
            raise RecordingNotFound(f"This recording has {len(recording.parts)} parts.")
        if action:
            self._note(client, action, self._call(call_id))
        return path

    async def delete(self, call_id: str, client: Client) -> None:
        """Deletes the recording permanently. Raises RecordingNotFound, and RecordingUnfinished while it is being written."""
        call_id = self._id(call_id)
        if not await self._disk.delete(call_id):
            raise RecordingNotFound("This call was not recorded here, or its recording was deleted.")
        self._kept.discard(call_id)
        self._note(client, "delete-recording", self._call(call_id))
        self.changed.emit(call_id)

    def on_call(self, call: Call) -> None:
        """Starts recording a new call if `default` is on, from before it is answered."""
        known = call.id in self._recorders or call.id in self._switched_off or call.id in self._problems
        begun = call.status not in (CallStatus.UNKNOWN, CallStatus.SCHEDULED)
        if self.default and call.running and begun and not known and not self._closed:
            self._tasks.start(self._start_unasked(call.id), name="start recording")

    async def _start_unasked(self, call_id: str) -> None:
        with suppress(EarshotError):  # `problem` has it
            await self.start(call_id, _EARSHOT)

    async def _keep_writing(self) -> None:
        for flush in count(1):
            if not self._recorders:
                self._wake.clear()
                await self._wake.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(_FLUSH):
                    await self._hurry.wait()
            self._hurry.clear()
            await self._flush()
            if flush % _LOOK_AT_DISK == 0 and (problem := await self._make_room()):
                for recorder in list(self._recorders.values()):
                    self._give_up(recorder, problem)

    async def _may_record(self, call_id: str) -> bool:
        """True unless another process records the call. A journal that can't be written must not cost the sound."""
        try:
            return self._leases is None or await self._leases.take_lease(call_id)
        except JournalError as error:
            log.warning("recording without a lease: %s", error.detail)
            return True

    async def _keep_leases(self, leases: Leases) -> None:
        """Renews the leases of running recordings, and continues recordings whose process is gone."""
        while True:
            await asyncio.sleep(LEASE_RENEWAL_S)
            try:
                if recorded := list(self._recorders):
                    for call_id in await leases.renew_leases(recorded):
                        if recorder := self._recorders.get(call_id):
                            self._give_up(recorder, "elsewhere")
                for call_id in await leases.stale_leases():
                    if await leases.take_lease(call_id):
                        await self._take_over(leases, call_id)
            except JournalError as error:
                log.warning("could not renew the leases of recordings: %s", error.detail)

    async def _take_over(self, leases: Leases, call_id: str) -> None:
        try:
            await self.start(call_id, _EARSHOT)
            log.warning("recording call %s from now on: the process that recorded it is gone", call_id)
        except EarshotError:  # it has ended, or the disk is full
            await leases.release_lease(call_id)

    async def _release(self, call_id: str) -> None:
        try:
            if self._leases:
                await self._leases.release_lease(call_id)
        except JournalError as error:
            log.warning("could not release the lease of a recording: %s", error.detail)

    async def _flush(self) -> None:
        """Writes what is queued, and closes ended recordings, which are then encoded as FLAC."""
        # The end is read first: what comes between the two readings is taken next time.
        ends = [(recorder, recorder.end) for recorder in self._recorders.values()]
        work = [(recorder, recorder.take(), end) for recorder, end in ends]
        failures = await self._disk.write(work)
        for (recorder, _, end), problem in zip(work, failures, strict=True):
            if end and self._recorders.get(recorder.call_id) is recorder:
                del self._recorders[recorder.call_id]
                if not self._closed:
                    self._tasks.start(self._release(recorder.call_id), name="release lease")
                    self._begin_finishing(recorder.call_id)
            if problem:
                self._give_up(recorder, problem)
            elif recorder.lost_bytes:
                self._tell(recorder.call_id, "lost_sound")
            elif recorder.refused:
                self._tell(recorder.call_id, "no_sound")
            elif self._problems.get(recorder.call_id) == "no_sound":
                del self._problems[recorder.call_id]
                self.changed.emit(recorder.call_id)

    def _hurry_up(self) -> None:
        """Called from the relay's thread."""
        if self._loop:
            self._loop.call_soon_threadsafe(self._hurry.set)

    def _give_up(self, recorder: Recorder, problem: str) -> None:
        recorder.close()
        self._tell(recorder.call_id, problem)

    async def _make_room(self) -> str | None:
        """What prevents recording even after the oldest recordings were deleted, or None."""
        deleted, problem = await self._disk.room()
        for call_id in deleted:
            log.info("deleted the oldest recording, of call %s, to stay within EARSHOT_RECORDINGS_MB", call_id)
            self._kept.discard(call_id)
            self._note(_EARSHOT, "delete-recording", self._call(call_id))
            self.changed.emit(call_id)
        return problem

    async def _finish_all(self) -> None:
        for call_id in sorted(await self._disk.unfinished()):
            if call_id not in self._recorders:
                await self._begin_finishing(call_id)

    def _begin_finishing(self, call_id: str) -> asyncio.Task[None]:
        task = self._finishers[call_id] = self._tasks.start(self._finish(call_id), name="finish recording")
        task.add_done_callback(lambda _: self._finishers.pop(call_id, None))
        return task

    async def _finish(self, call_id: str) -> None:
        try:
            if await self._disk.finish(call_id):
                self._kept.add(call_id)
        except (OSError, RecordingDamaged, soundfile.LibsndfileError) as error:
            log.error("could not finish the recording of call %s: %s", call_id, error)
            self._tell(call_id, "unfinished")
        self.changed.emit(call_id)

    def _tell(self, call_id: str, problem: str) -> None:
        if self._problems.get(call_id) != problem:
            log.warning("recording of call %s: %s", call_id, PROBLEMS[problem])
            _remember(self._problems, call_id, problem)
            self.changed.emit(call_id)

    def _id(self, call_id: str) -> str:
        call = self._find(call_id)
        return call.id if call else call_id

    def _call(self, call_id: str) -> Call:
        """The call, for the audit. A recording may outlive its call in memory."""
        return self._find(call_id) or Call(id=call_id, status=CallStatus.ENDED)


def _remember(memory: dict[str, T], call_id: str, value: T) -> None:
    memory[call_id] = value
    while len(memory) > _REMEMBERED:
        del memory[next(iter(memory))]
