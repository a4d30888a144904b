"""The folder of recordings as the event loop uses it: whatever touches the disk is done in threads, and in order."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from services.domain.errors import RecordedElsewhere
from services.listening.listener import End
from services.recording.folder import RecordingFolder
from services.recording.recorder import Recorder
from services.recording.writer import Item

log = logging.getLogger(__name__)
T = TypeVar("T")

Work = tuple[Recorder, Sequence[Item], End | None]
"""What came for a recorder since the last time, and its end if it has ended."""


class RecordingDisk:
    """Does the work of `folder` in two threads: making FLAC of an hour takes seconds, in which what comes must still get to the disk.

    What was begun is done to its end, even if whoever waits for it is stopped.
    """

    def __init__(self, path: Path, *, limit: int, free_floor: int) -> None:
        self.folder = RecordingFolder(path)
        self.limit = limit
        self._free_floor = free_floor
        self._writing = ThreadPoolExecutor(1, "write recordings")
        self._finishing = ThreadPoolExecutor(1, "finish recordings")

    async def write(self, work: Sequence[Work]) -> list[str | None]:
        """Writes what came, and closes what has ended. What is wrong with each: `elsewhere`, `disk` or nothing."""
        return await _in(self._writing, _write, work)

    async def room(self) -> tuple[list[str], str | None]:
        """Makes room: the ids of the recordings deleted for it, and what keeps calls from being recorded: `disk`, `disk_full`, `limit`."""
        try:
            deleted, enough = await _in(self._writing, self.folder.make_room, self.limit)
            free = await _in(self._writing, self.folder.free)
        except OSError as error:
            log.error("the folder of recordings can't be used: %s", error)
            return [], "disk"
        if free < self._free_floor:
            return deleted, "disk_full"
        return deleted, None if enough else "limit"

    async def finish(self, call_id: str) -> bool:
        """As `RecordingFolder.finish`."""
        return await _in(self._finishing, self.folder.finish, call_id)

    async def delete(self, call_id: str) -> bool:
        """As `RecordingFolder.delete`, after what is being finished."""
        return await _in(self._finishing, self.folder.delete, call_id)

    async def finished(self) -> set[str]:
        return await _in(self._finishing, self.folder.finished)

    async def unfinished(self) -> set[str]:
        return await _in(self._finishing, self.folder.unfinished)

    async def aclose(self) -> None:
        """Returns once both threads are at rest; what waited to be finished is left as it is."""
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
        log.error("a recording can't be written: %s", error)
        return "disk"
    except Exception:
        # A fault of ours with one recording must not end the writing of all others, nor go unseen by who counts on this one.
        log.exception("a recording can't be written")
        return "disk"
    finally:
        if end:
            try:
                recorder.writer.close(end, recorder.ended_at)
            except OSError as error:  # the sound is there, but not how it ended
                log.error("the end of a recording can't be written: %s", error)
    return None
