"""Vapi's own recordings: fetched when somebody wants to hear one, and kept for a while in a folder of this process.

A copy can be read while it arrives, and as often as a player seeks in it, without asking Vapi again. Nothing of it outlives the process.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import soundfile

from services.domain.call import Call
from services.domain.client import Client
from services.domain.errors import EarshotError, RecordingNotFound, RecordingUnfinished, VapiUnavailable
from services.recording.claimed_folder import ClaimedFolder, claim_folder
from services.recording.copy import Copy, media_type_of
from services.recording.hearings import Hearings
from services.recording.peaks import peaks_of_file
from services.support.rfc3339 import rfc3339
from services.support.tasks import Tasks
from services.vapi.recordings import RecordingDownload

log = logging.getLogger(__name__)

LIMIT = 1_000_000_000
"""Bytes of all copies: four hours of Vapi's WAV. A recording that is longer is not fetched."""
SOUND = "sound"
"""The name of the file in `peaks`."""
_AT_ONCE = 4  # downloads
_BLOCK = 256 * 1024  # bytes written in one go
_MAY_COME = timedelta(minutes=10)  # after the end, Vapi may still be storing the recording
_RETRY_S = 15.0
_HEAD = 12  # bytes by which a format is known


class VapiRecordings:
    """Fetches recordings into a folder of its own in `folder`, and removes it at the end. Those of dead processes go as well.

    `fetch` opens a download, `read` reads a call, `note` writes the audit.
    `count` raises LimitReached if a client begins too many downloads.
    """

    def __init__(
        self,
        folder: Path,
        *,
        fetch: Callable[[str], AbstractAsyncContextManager[RecordingDownload]],
        read: Callable[[str, Client], Awaitable[Call]],
        count: Callable[[Client], None],
        note: Callable[[Client, str, Call], object],
        limit: int = LIMIT,
    ) -> None:
        self._folder = folder
        self._fetch = fetch
        self._count = count
        self._read = read
        self._hearings = Hearings(note)
        self._limit = limit
        self._copies: OrderedDict[str, asyncio.Task[Copy]] = OrderedDict()
        self._peaks: dict[str, asyncio.Task[dict[str, Any]]] = {}
        self._downloading = asyncio.Semaphore(_AT_ONCE)
        self._tasks = Tasks()
        self._made = 0
        self._claim: ClaimedFolder | None = None

    async def aclose(self) -> None:
        """Stops all downloads and deletes the copies."""
        await self._tasks.aclose()
        if self._claim:
            await asyncio.to_thread(self._claim.remove)

    async def open(self, call_id: str, client: Client, *, action: str | None, begins: bool = True) -> Copy:
        """The recording of an ended call, once its first bytes are here. `action`, if any, goes into the audit, as `Hearings` says.

        Raises RecordingUnfinished while the call runs or Vapi has not stored it yet, RecordingNotFound, CallNotFound,
        LimitReached, VapiError.
        """
        call = await self._recorded(call_id, client)
        task = self._copies.get(call.id)
        if task is None or (task.done() and (task.cancelled() or task.exception() or task.result().broken)):
            self._count(client)
            opened: asyncio.Future[Copy] = asyncio.get_running_loop().create_future()
            task = self._copies[call.id] = self._tasks.start(_result(opened), name="open Vapi's recording")
            self._peaks.pop(call.id, None)
            self._tasks.start(self._download(call, opened), name="fetch Vapi's recording")
        self._copies.move_to_end(call.id)
        copy = await asyncio.shield(task)
        if action:
            self._hearings.fetched(client, action, call, begins=begins)
        return copy

    async def peaks(self, call_id: str, client: Client) -> dict[str, Any]:
        """The waveform of the whole recording, as `peaks.json` of our own recordings. Raises the errors of `open`."""
        call = await self._recorded(call_id, client)
        copy = await self.open(call.id, client, action=None)
        if call.id not in self._peaks:
            self._peaks[call.id] = self._tasks.start(_peaks_of(copy, call), name="draw Vapi's recording")
        try:
            return await asyncio.shield(self._peaks[call.id])
        except EarshotError:
            self._peaks.pop(call.id, None)
            raise

    def on_call(self, call: Call) -> None:
        """Deletes the copy of a call whose data was deleted."""
        if call.erasure and (task := self._copies.pop(call.id, None)):
            self._peaks.pop(call.id, None)
            self._tasks.start(_delete(task), name="delete copy")

    async def _recorded(self, call_id: str, client: Client) -> Call:
        """The call, if it may have a recording."""
        call = await self._read(call_id, client)
        if call.running:
            raise RecordingUnfinished("Vapi has a recording only after the call.", code="recording_not_ready")
        if call.erasure:
            raise RecordingNotFound("The data of this call was deleted.")
        if not call.answered:
            raise RecordingNotFound("This call was not answered, so there is no recording.")
        return call

    async def _download(self, call: Call, opened: asyncio.Future[Copy]) -> None:
        """Resolves `opened` with the copy as soon as its format is known."""
        copy: Copy | None = None
        problem: EarshotError | None = None
        try:
            async with self._downloading, self._fetch(call.id) as download:
                head, chunks = await _head(download.chunks)
                if download.size is not None and download.size > self._limit:
                    raise RecordingNotFound("Vapi's recording is too long to be fetched here.")
                path = await self._new_path(call.id, download.size or 0)
                media_type = media_type_of(head)
                with await asyncio.to_thread(path.open, "xb") as file:  # before anybody reads it
                    copy = Copy(path, media_type, download.size)
                    opened.set_result(copy)
                    await self._write(file, copy, head, chunks)
        except RecordingNotFound as error:
            ended = call.ended_at
            soon = ended is not None and datetime.now(UTC) - ended < _MAY_COME
            problem = RecordingUnfinished(_NOT_YET, code="recording_not_ready", retry_after=_RETRY_S) if soon else error
        except EarshotError as error:
            problem = error
        except OSError as error:
            log.error("could not keep a copy of Vapi's recording: %s", error)
            problem = VapiUnavailable("Vapi's recording can't be stored for replay. The disk may be full.")
        finally:
            problem = problem or (None if copy else VapiUnavailable("Earshot is stopping."))
            if copy:
                copy.finish(problem)
            elif not opened.done():
                opened.set_exception(problem or VapiUnavailable("Earshot is stopping."))

    async def _write(self, file: BinaryIO, copy: Copy, head: bytes, chunks: AsyncIterator[bytes]) -> None:
        waiting = bytearray(head)
        async for chunk in chunks:
            waiting += chunk
            if len(waiting) >= _BLOCK:
                await self._append(file, copy, waiting)
        await self._append(file, copy, waiting)

    async def _append(self, file: BinaryIO, copy: Copy, waiting: bytearray) -> None:
        if copy.held + len(waiting) > self._limit and copy.size is None:
            raise RecordingNotFound("Vapi's recording is too long to be fetched here.")
        block = bytes(waiting)
        waiting.clear()
        await asyncio.to_thread(_write_block, file, block)
        copy.grow(len(block))

    async def _new_path(self, call_id: str, size: int) -> Path:
        """A path for a new copy, after the longest unused ones were deleted to make room for it."""
        if self._claim is None:
            self._claim = await asyncio.to_thread(claim_folder, self._folder)
        self._made += 1
        held = {known: task.result() for known, task in self._copies.items() if _is_here(task) and known != call_id}
        for known, copy in held.items():
            if sum(other.held for other in held.values()) + size <= self._limit:
                break
            if copy.readers == 0:
                del self._copies[known]
                self._peaks.pop(known, None)
                held = {other: kept for other, kept in held.items() if other != known}
                with suppress(OSError):  # on Windows, while somebody has just begun to read it
                    await asyncio.to_thread(copy.path.unlink)
        return self._claim.path / str(self._made)


_NOT_YET = "Vapi has not stored the recording yet. It usually takes less than a minute after the call."


async def _head(chunks: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes]]:
    head = b""
    async for chunk in chunks:
        head += chunk
        if len(head) >= _HEAD:
            break
    return head, chunks


async def _delete(task: asyncio.Task[Copy]) -> None:
    with suppress(EarshotError):  # then there is no copy
        copy = await task
        with suppress(EarshotError):
            await copy.complete()
        await asyncio.to_thread(copy.path.unlink, missing_ok=True)


async def _result(opened: asyncio.Future[Copy]) -> Copy:
    return await opened


def _is_here(task: asyncio.Task[Copy]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def _write_block(file: BinaryIO, block: bytes) -> None:
    file.write(block)
    file.flush()


async def _peaks_of(copy: Copy, call: Call) -> dict[str, Any]:
    await copy.complete()
    try:
        seconds, peaks = await asyncio.to_thread(peaks_of_file, copy.path)
    except soundfile.LibsndfileError as error:
        log.warning("Vapi's recording can't be read: %s", error)
        raise VapiUnavailable("Vapi's recording can't be read.", retryable=False) from None
    lanes = peaks.levels().T.tolist()[:2]
    part = {"part": 1, "file": SOUND, "at": 0, "seconds": seconds, "peaksPerSecond": peaks.per_second, "lanes": lanes}
    return {"callId": call.id, "startedAt": rfc3339(call.started_at), "seconds": seconds, "marks": [], "parts": [part]}
