"""The finished recordings: which calls have one, its sound and its documents, and deleting it. In a folder that processes may share."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from services.domain.errors import RecordingNotFound, RecordingUnfinished
from services.journal import RecordingState
from services.journal.recordings import RecordingsJournal
from services.recording.disk import RecordingDisk
from services.recording.store import StoredSound
from services.support.tasks import Tasks

Sound = Path | StoredSound
"""The FLAC of a part: a file, or an object in the store."""


class Archive:
    """Passes `changed` the id of each call for which `has` may have changed, also if another process has changed it."""

    def __init__(self, disk: RecordingDisk, journal: RecordingsJournal, changed: Callable[[str], None]) -> None:
        self._disk = disk
        self._journal = journal
        self._changed = changed
        self._here: set[str] = set()
        self._tasks = Tasks()

    async def open(self) -> None:
        self._here = await self._disk.finished()

    async def aclose(self) -> None:
        await self._tasks.aclose()

    def has(self, call_id: str) -> bool:
        """True if there is a finished recording of this call."""
        return call_id in self._here

    async def finished(self, call_id: str) -> None:
        """Takes in what was just finished in the folder, and lets the other processes know."""
        self._here.add(call_id)
        for part in await self._disk.parts(call_id):
            await self._journal.keep(call_id, began_ms=part.began_ms)

    def learn(self, state: RecordingState) -> None:
        """Takes in what another process has written."""
        self._tasks.start(self._look(state.call_id), name="look for a recording")

    async def sounds(self, call_id: str) -> dict[int, Sound]:
        """The FLAC of each part by its number; empty if there is no finished recording. Raises RecordingNotFound for an invalid id."""
        return dict(await asyncio.to_thread(self._disk.folder.sounds, call_id))

    async def text(self, call_id: str, what: str) -> bytes:
        """`recording`, `transcript` or `peaks` as JSON. Raises RecordingNotFound, RecordingUnfinished."""
        return await asyncio.to_thread(self._disk.folder.text, call_id, what)

    async def absent(self, call_id: str) -> RecordingNotFound | RecordingUnfinished:
        """Why a call has no finished recording."""
        return await asyncio.to_thread(self._disk.folder.absent, call_id)

    async def delete(self, call_id: str) -> bool:
        """Returns False if there was nothing to delete. Raises RecordingUnfinished while it is being written, and JournalError."""
        if not await self._disk.delete(call_id):
            return False
        await self.deleted(call_id)
        return True

    async def deleted(self, call_id: str) -> None:
        """Lets the other processes know of a recording that was deleted from the folder."""
        self._here.discard(call_id)
        await self._journal.deleted(call_id, at_ms=now_ms())

    async def _look(self, call_id: str) -> None:
        if await self._disk.parts(call_id):
            self._here.add(call_id)
        else:
            self._here.discard(call_id)
        self._changed(call_id)


def now_ms() -> int:
    return int(1000 * time.time())
