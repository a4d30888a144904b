"""Deletes the recordings of calls whose data was deleted, as soon as nothing writes them any more."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from services.domain.errors import EarshotError, RecordingNotFound
from services.journal.recordings import RecordingsJournal
from services.recording.archive import Archive
from services.recording.disk import RecordingDisk
from services.recording.problems import Problems
from services.support.recent import remember
from services.support.tasks import Tasks

log = logging.getLogger(__name__)

_AGAIN_S = 1.0
_PAUSE_S = 60.0  # at most


class Erasing:
    """Works in `tasks`. Passes `changed` the id of each call whose recording is gone."""

    def __init__(
        self,
        disk: RecordingDisk,
        journal: RecordingsJournal,
        changed: Callable[[str], None],
        *,
        archive: Archive,
        problems: Problems,
        tasks: Tasks,
    ) -> None:
        self._disk = disk
        self._journal = journal
        self._changed = changed
        self._archive = archive
        self._problems = problems
        self._tasks = tasks
        self._erased: dict[str, None] = {}

    async def open(self) -> None:
        """Deletes from this folder what should be gone: this process was killed before, or another one erased the call. May
        raise JournalError."""
        here = await self._disk.finished() | await self._disk.unfinished()
        for call_id in await self._journal.erased_among(here):
            self.begin(call_id)

    def begin(self, call_id: str) -> None:
        """Deletes what this process can reach of a recording, in the background."""
        if call_id not in self._erased:
            remember(self._erased, call_id, None)
            self._tasks.keep(partial(self._erase, call_id), name="delete recording")

    async def _erase(self, call_id: str) -> None:
        pause_s = _AGAIN_S
        while True:
            try:
                await self._archive.delete(call_id)
                break
            except RecordingNotFound:  # an id that no recording can have
                return
            except (EarshotError, OSError) as error:
                why = error.code if isinstance(error, EarshotError) else error
                log.warning("could not delete the recording of a call whose data was deleted (%s); trying again", why)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _PAUSE_S)
        self._problems.mended(call_id)
        self._changed(call_id)
