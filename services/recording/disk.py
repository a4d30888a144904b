"""The recordings folder for the event loop: all disk work runs in threads, in order."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from services.domain.errors import RecordedElsewhere
from services.listening.listener import End
from services.recording.folder import RecordingFolder
from services.recording.parts import Part
from services.recording.recorder import Recorder
from services.recording.writer import Item

log = logging.getLogger(__name__)
T = TypeVar("T")

Work = tuple[Recorder, Sequence[Item], End | None]
"""What a recorder queued since the last write, and its end if it has ended."""


class RecordingDisk:
    """Does the work of `folder` in two threads, because encoding an hour as FLAC takes seconds and new sound must not wait for it.

    Work that has started runs to completion, even if its caller is cancelled.
    """

    def __init__(self, path: Path, *, limit: int, free_floor: int, delete_oldest: bool) -> None:
        self.folder = RecordingFolder(path)
        self.limit = limit
        self._free_floor = free_floor
        self._delete_oldest = delete_oldest
        self._writing = ThreadPoolExecutor(1, "write recordings")
        self._finishing = ThreadPoolExecutor(1, "finish recordings")

    async def write(self, work: Sequence[Work]) -> list[str | None]:
        """Writes what is queued, and closes what has ended. Returns the problem of each: `elsewhere`, `disk` or None."""
        return await _in(self._writing, _write, work)

    async def room(self) -> tuple[list[str], str | None]:
        """Makes room. Returns the ids of deleted recordings, and what prevents recording: `disk`, `disk_full`, `limit` or None."""
        try:
            deleted, enough = await _in(self._writing, self.folder.make_room, self.limit, self._delete_oldest)
            free = await _in(self._writing, self.folder.free)
        except OSError as error:
            log.error("could not use the recordings folder: %s", error)
            return [], "disk"
        if free < self._free_floor:
            return deleted, "disk_full"
        return deleted, None if enough else "limit"

    async def finish(self, call_id: str) -> bool:
        """See `RecordingFolder.finish`."""
        return await _in(self._finishing, self.folder.finish, call_id)

    async def delete(self, call_id: str) -> bool:
        """See `RecordingFolder.delete`. Waits for what is being finished."""
        return await _in(self._finishing, self.folder.delete, call_id)

    async def drop(self, call_id: str, began_ms: Collection[int]) -> None:
        """See `RecordingFolder.drop`."""
        await _in(self._finishing, self.folder.drop, call_id, began_ms)

    async def parts(self, call_id: str) -> list[Part]:
        """See `RecordingFolder.parts`."""
        return await asyncio.to_thread(self.folder.parts, call_id)

    async def finished(self) -> set[str]:
        return await _in(self._finishing, self.folder.finished)

    async def unfinished(self) -> set[str]:
        return await _in(self._finishing, self.folder.unfinished)

    async def aclose(self) -> None:
        """Returns once both threads are idle. Recordings that were still waiting to be finished are left unfinished."""
        self._writing.shutdown()
        await asyncio.to_thread(self._finishing.shutdown, cancel_futures=True)


async def _in(thread: ThreadPoolExecutor, work: Callable[..., T], *arguments: object) -> T:
    return await asyncio.shield(asyncio.get_running_loop().run_in_executor(thread, partial(work, *arguments)))


def _write(work: Sequence[Work]) -> list[str | None]:
    return [_problem(recorder, items, end) for recorder, items, end in work]


def _problem(recorder: Recorder, items: Sequence[Item], end: End | None) -> str | None:
    try:
        recorder.writer.write(items)
    except RecordedElsewhere:
        return "elsewhere"
    except OSError as error:
        log.error("could not write a recording: %s", error)
        return "disk"
    except Exception:
        # A bug with one recording must not end the others, and must show as this recording's problem.
        log.exception("could not write a recording")
        return "disk"
    finally:
        if end:
            try:
                recorder.writer.close(end, recorder.ended_at)
            except Exception:  # the sound is written, but not why it ended; what was taken from the other recorders must be written too
                log.exception("could not write the end of a recording")
    return None
