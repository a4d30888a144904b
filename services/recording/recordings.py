"""Recordings: which calls are recorded, and what is kept of them. The page and the REST routes use this object."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import soundfile

from services.domain.call import Call, CallStatus
from services.domain.client import Client, Scope
from services.domain.consent import MayRecord
from services.domain.errors import (
    CallNotFound,
    CallNotRunning,
    CantRecord,
    ConsentNeeded,
    EarshotError,
    RecordingDamaged,
    RecordingForbidden,
    RecordingNotFound,
    RecordingUnfinished,
)
from services.domain.permissions import require, require_recording
from services.journal import RecordingState
from services.journal.recordings import RecordingsJournal
from services.listening.live_sound import LiveSound
from services.recording.archive import Archive, Sound
from services.recording.disk import RecordingDisk
from services.recording.erasing import Erasing
from services.recording.hearings import Hearings
from services.recording.lease_keeper import LeaseKeeper
from services.recording.problems import PROBLEMS, Problems
from services.recording.recorders import Recorders
from services.recording.store import RecordingStore
from services.recording.stored_archive import PAUSES_S, StoredArchive
from services.support.signals import Signal
from services.support.tasks import Tasks

log = logging.getLogger(__name__)

_EARSHOT = Client(name="earshot")
_PLACER_S = 5.0  # how long the process that placed a call has to begin its recording, before this one does
_FREE_FLOOR = 500_000_000  # bytes that must stay free on the disk


class Recordings:
    """Records calls into `folder`, at most `limit` bytes in total; the oldest are deleted first. With a `store`, what is finished is moved
    there, and what waits in the folder is never deleted.

    `journal` sees to it that one process records a call, that another takes over if that dies, and that all know of it.
    `default`: record every call unless it is switched off, or `may_record` says no, which answers at once from what is known of a call.
    `may_start`, if it is given, decides when a recording is about to be started; it raises JournalError. `note` writes the audit, and
    `check` raises Forbidden for a call that a client may not control.
    `changed` emits the id of each call for which `recording`, `recorded_from`, `has` or `problem` may have changed, in whichever process.
    """

    def __init__(
        self,
        folder: Path,
        *,
        journal: RecordingsJournal,
        relay: LiveSound,
        find: Callable[[str], Call | None],
        note: Callable[[Client, str, Call], object],
        check: Callable[[Call, Client], Awaitable[None]],
        may_record: Callable[[Call], MayRecord] = lambda _call: MayRecord.YES,
        may_start: Callable[[Call], Awaitable[MayRecord]] | None = None,
        limit: int,
        store: RecordingStore | None = None,
        default: bool = False,
        free_floor: int = _FREE_FLOOR,
        pauses_s: Iterable[float] = PAUSES_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.changed: Signal[str] = Signal()
        self.default = default
        self._journal = journal
        self._find = find
        self._note = note
        self._may_record = may_record
        self._may_start = may_start or self._may_by_what_is_known
        self._check = check
        self._hearings = Hearings(note)
        self._disk = RecordingDisk(folder, limit=limit, free_floor=free_floor, delete_oldest=store is None)
        self._problems = Problems(self.changed.emit)
        self._archive = (
            StoredArchive(self._disk, journal, self.changed.emit, store=store, problems=self._problems, pauses_s=pauses_s)
            if store
            else Archive(self._disk, journal, self.changed.emit)
        )
        self._recorders = Recorders(
            relay,
            self._disk,
            room=self._make_room,
            heard=self.changed.emit,
            ended=self._on_end,
            problems=self._problems,
            clock=clock,
        )
        self._leases = LeaseKeeper(journal, self._recorders, take_over=self._take_over, changed=self.changed.emit)
        self._unasked: set[str] = set()
        self._finishers: dict[str, asyncio.Task[None]] = {}
        self._closed = False
        self._tasks = Tasks()
        self._erasing = Erasing(self._disk, journal, self.changed.emit, archive=self._archive, problems=self._problems, tasks=self._tasks)

    async def open(self) -> None:
        """Finds existing recordings, and finishes in the background those that a crash or a stop interrupted. Raises JournalError."""
        await self._journal.follow(self._learn)
        await self._archive.open()
        await self._leases.open()
        self._recorders.open()
        await self._erasing.open()
        self._tasks.start(self._finish_all(), name="finish recordings")

    async def aclose(self) -> None:
        """Writes what is queued. It is encoded as FLAC at the next start, so that stopping is quick."""
        if self._closed:
            return
        self._closed = True
        await self._leases.aclose()
        await self._tasks.aclose()
        await self._archive.aclose()
        await self._recorders.aclose()
        await self._disk.aclose()
        await self._leases.hand_over()

    def recording(self, call_id: str) -> bool:
        """True if this call is being recorded, or will be once there is sound."""
        call_id = self._id(call_id)
        return self._recorders.running(call_id) or self._leases.elsewhere(call_id)

    def recorded_from(self, call_id: str) -> datetime | None:
        """When the first sound came of the recording that is being made. None if there was none yet, or nothing is recorded."""
        call_id = self._id(call_id)
        if not self.recording(call_id):
            return None
        ms = self._recorders.heard_from_ms.get(call_id) or self._leases.heard_from_ms(call_id)
        return datetime.fromtimestamp(ms / 1000, UTC) if ms else None

    def has(self, call_id: str) -> bool:
        """True if there is a finished recording of this call."""
        return self._archive.has(self._id(call_id))

    def problem(self, call_id: str) -> str | None:
        """The problem with this call's recording: a key of PROBLEMS."""
        return self._problems.of(self._id(call_id))

    def may_record(self, call: Call) -> MayRecord:
        """Whether a recording of this call may be started."""
        return self._may_record(call)

    async def start(self, call_id: str, client: Client, *, agreed: bool = False) -> None:
        """Records from now on. Does nothing if the call is being recorded. `agreed`: the client says that everybody on it agreed.

        Raises Forbidden, RecordingForbidden, ConsentNeeded, CallNotFound, CallNotRunning, CantRecord, JournalError.
        """
        require_recording(client)
        call = self._known(call_id)
        await self._check(call, client)
        may = await self._may_start(call)
        if may is MayRecord.NO:
            raise RecordingForbidden("Calls to this country are never recorded here.", code="recording_forbidden")
        if may is MayRecord.IF_AGREED:
            if not agreed:
                raise ConsentNeeded("This call may be recorded only if everybody on it agreed. If so, send agreed: true.")
            self._note(client, "recording-agreed", call)
        await self._start(call_id, client, unasked=False)

    async def stop(self, call_id: str, client: Client) -> None:
        """Stops recording. What was recorded is kept and will soon be playable. Raises CallNotFound, Forbidden."""
        require_recording(client)
        call = self._known(call_id)
        await self._check(call, client)
        if self.recording(call.id):
            self._note(client, "stop-recording", call)
        await self._leases.switch_off(call.id)
        self.changed.emit(call.id)
        await self._recorders.flush()

    async def sounds(self, call_id: str) -> dict[int, Sound]:
        """The FLAC of each finished part by its number, empty if there is none. Raises RecordingNotFound for an invalid id, StoreError."""
        return await self._archive.sounds(self._id(call_id))

    async def text(self, call_id: str, what: str) -> bytes:
        """`recording`, `transcript` or `peaks` as JSON. Raises RecordingNotFound, RecordingUnfinished, StoreError."""
        call_id = self._id(call_id)
        if not self.has(call_id):
            raise await self._absent(call_id)
        return await self._archive.text(call_id, what)

    async def part(self, call_id: str, number: int, client: Client, *, action: str, begins: bool = True) -> Sound:
        """The FLAC of one part, counted from 1. `action` goes into the audit, as `Hearings` says.

        Raises RecordingNotFound, RecordingUnfinished, StoreError.
        """
        sounds = await self.sounds(call_id)
        if not sounds:
            raise await self._absent(self._id(call_id))
        if number not in sounds:
            raise RecordingNotFound(f"This recording has {len(sounds)} parts.")
        self._hearings.fetched(client, action, self._call(call_id), begins=begins)
        return sounds[number]

    async def delete(self, call_id: str, client: Client) -> None:
        """Deletes the recording permanently. Raises RecordingNotFound, and RecordingUnfinished while it is being written."""
        require(client, Scope.MANAGE)
        call_id = self._id(call_id)
        if self._leases.elsewhere(call_id):
            raise RecordingUnfinished("This call is being recorded. Stop the recording first.")
        if not await self._archive.delete(call_id):
            raise RecordingNotFound("This call was not recorded here, or its recording was deleted.")
        self._note(client, "delete-recording", self._call(call_id))
        self._problems.mended(call_id)
        self.changed.emit(call_id)

    async def delete_older(self, before: datetime) -> int:
        """Deletes recordings that began before this time and that this process can reach. Returns how many. Raises JournalError."""
        deleted = 0
        for call_id in await self._journal.older(before):
            try:
                await self.delete(call_id, _EARSHOT)
                deleted += 1
            except (RecordingNotFound, RecordingUnfinished):  # it is on another machine, or is being recorded again
                continue
            except OSError as error:  # the others must be deleted all the same
                log.error("could not delete the recording of call %s, which is past its retention: %s", call_id, error)
        return deleted

    def on_call(self, call: Call) -> None:
        """Starts recording a new call if `default` is on, from before it is answered. Deletes the recording of an erased call."""
        if call.erasure:
            if not self._closed:
                self._erasing.begin(call.id)
            return
        begun = call.running and call.status not in (CallStatus.UNKNOWN, CallStatus.SCHEDULED)
        if not self.default or not begun or self._closed:
            return
        known = call.id in self._recorders or self._leases.elsewhere(call.id) or self._leases.switched_off(call.id)
        if not known and call.id not in self._unasked and not self.problem(call.id) and self._may_record(call) is MayRecord.YES:
            self._unasked.add(call.id)
            self._tasks.start(self._start_unasked(call.id, call.tag), name="start recording")

    def _learn(self, state: RecordingState) -> None:
        """Takes in what another process did to a recording."""
        if not self._closed:
            self._archive.learn(state)
            self._leases.learn(state)

    async def _start(self, call_id: str, client: Client, *, unasked: bool, leave_to_placer_of: str | None = None) -> None:
        call = self._known(call_id)
        if not call.running:
            raise CallNotRunning("This call has ended.")
        if problem := await self._make_room():
            self._problems.note(call.id, problem)
            raise CantRecord(PROBLEMS[problem], code=problem)
        if finisher := self._finishers.get(call.id):
            await asyncio.wait({finisher})
        if self._closed or call.id in self._recorders:
            return
        lease = await self._leases.take(call.id, unasked=unasked, leave_to_placer_of=leave_to_placer_of)
        if lease is None or self._closed or call.id in self._recorders:
            return
        missing_from = lease.missing_from_ms / 1000 if lease.missing_from_ms else None
        try:
            self._recorders.begin(call.id, missing_from=missing_from)
        except EarshotError:
            self._leases.release(call.id)
            raise
        if missing_from:
            log.warning("recording call %s from now on: the process that recorded it is gone", call.id)
        self._problems.mended(call.id)
        self._note(client, "record", call)
        self.changed.emit(call.id)

    async def _start_unasked(self, call_id: str, tag: str | None) -> None:
        """Leaves a call at first to the process that placed it, where it is listened to most."""
        try:
            if await self._may_start(self._known(call_id)) is not MayRecord.YES:
                return
            await self._start(call_id, _EARSHOT, unasked=True, leave_to_placer_of=tag)
            if tag and not self.recording(call_id):
                await asyncio.sleep(_PLACER_S)
                if await self._may_start(self._known(call_id)) is MayRecord.YES:
                    await self._start(call_id, _EARSHOT, unasked=True)
        except EarshotError:  # `problem` has it
            return
        finally:
            self._unasked.discard(call_id)

    async def _may_by_what_is_known(self, call: Call) -> MayRecord:
        return self._may_record(call)

    async def _take_over(self, call_id: str) -> None:
        """Continues a recording whose process is gone; if its call has ended, finishes what that process left in the folder."""
        try:
            await self._start(call_id, _EARSHOT, unasked=True)
        except EarshotError:  # it has ended, or the disk is full
            if await self._journal.take_lease(call_id, unasked=True):
                await self._journal.release_lease(call_id)
            self._begin_finishing(call_id)

    def _on_end(self, call_id: str) -> None:
        self._leases.release(call_id)
        self._begin_finishing(call_id)

    async def _make_room(self) -> str | None:
        """What prevents recording even after the oldest recordings were deleted, or None."""
        deleted, problem = await self._disk.room()
        for call_id in deleted:
            log.info("deleted the oldest recording, of call %s, to stay within EARSHOT_RECORDINGS_MB", call_id)
            await self._archive.deleted(call_id)
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
                await self._archive.finished(call_id)
        except (OSError, RecordingDamaged, RecordingNotFound, soundfile.LibsndfileError) as error:
            log.error("could not finish the recording of call %s: %s", call_id, error)
            self._problems.note(call_id, "unfinished")
        self.changed.emit(call_id)

    async def _absent(self, call_id: str) -> EarshotError:
        if self._leases.elsewhere(call_id):
            return RecordingUnfinished("This call is still being recorded. Try again when the recording has ended.")
        return await self._archive.absent(call_id)

    def _known(self, call_id: str) -> Call:
        if call := self._find(call_id):
            return call
        raise CallNotFound()

    def _id(self, call_id: str) -> str:
        call = self._find(call_id)
        return call.id if call else call_id

    def _call(self, call_id: str) -> Call:
        """The call, for the audit. A recording may outlive its call in memory."""
        return self._find(call_id) or Call(id=call_id, status=CallStatus.ENDED)
