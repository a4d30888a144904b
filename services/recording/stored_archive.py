"""Finished recordings in an S3-compatible store, which every process reads. Each process uploads what it finishes in its own folder."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable

from services.domain.errors import EarshotError, RecordingNotFound, RecordingUnfinished, StoreError
from services.journal import RecordingState
from services.journal.recordings import RecordingsJournal
from services.recording.archive import Archive, Sound, now_ms
from services.recording.disk import RecordingDisk
from services.recording.parts import Part, joined
from services.recording.problems import Problems
from services.recording.store import RecordingStore
from services.support.recent import remember

log = logging.getLogger(__name__)

PAUSES_S = (1.0, 2.0, 5.0, 15.0, 60.0)  # before each new attempt while the store can't be used; the last one repeats


class StoredArchive(Archive):
    """Uploads and deletions are repeated until they succeed, also after a restart. A file stays in the folder until the store has proven
    that it has all of it. `problems` says of a call that its recording can't be uploaded.
    """

    def __init__(
        self,
        disk: RecordingDisk,
        journal: RecordingsJournal,
        changed: Callable[[str], None],
        *,
        store: RecordingStore,
        problems: Problems,
        pauses_s: Iterable[float] = PAUSES_S,
    ) -> None:
        super().__init__(disk, journal, changed)
        self._store = store
        self._problems = problems
        self._pauses_s = tuple(pauses_s)
        self._stored: set[str] = set()
        self._deletions: dict[str, int] = {}
        self._uploads: dict[str, None] = {}
        self._uploaded: dict[str, None] = {}
        self._work = asyncio.Event()

    async def open(self) -> None:
        await super().open()
        for state in await self._journal.known():
            self._take(state)
        self._uploads |= dict.fromkeys(sorted(self._here))
        self._work.set()
        self._tasks.keep(self._keep_storing, name="store recordings")

    def has(self, call_id: str) -> bool:
        return call_id in self._stored or super().has(call_id)

    async def finished(self, call_id: str) -> None:
        await super().finished(call_id)
        self._uploads[call_id] = None
        self._work.set()

    def learn(self, state: RecordingState) -> None:
        self._take(state)
        self._changed(state.call_id)

    async def sounds(self, call_id: str) -> dict[int, Sound]:
        folder = self._disk.folder.of(call_id)
        here = {part.began_ms: folder / f"{part.number}.flac" for part in await self._disk.parts(call_id)}
        stored = await self._store.sounds(call_id) if call_id in self._stored else {}
        found: dict[int, Sound] = {**stored, **here}
        return {number: found[began_ms] for number, began_ms in enumerate(sorted(found), 1)}

    async def text(self, call_id: str, what: str) -> bytes:
        here = {part.began_ms: part for part in await self._disk.parts(call_id)}
        stored = {part.began_ms: part for part in await self._store.parts(call_id)} if call_id in self._stored else {}
        parts = stored | here
        if not parts:
            raise await self.absent(call_id)
        numbered = [parts[began_ms].numbered(number) for number, began_ms in enumerate(sorted(parts), 1)]
        return json.dumps(joined(call_id, numbered)[what], ensure_ascii=False, separators=(",", ":")).encode()

    async def absent(self, call_id: str) -> RecordingNotFound | RecordingUnfinished:
        """Raises JournalError."""
        if (await self._journal.state(call_id)).unstored:
            return RecordingUnfinished("This recording is not in the store yet. It waits on the machine that recorded it. Try again later.")
        return await super().absent(call_id)

    async def delete(self, call_id: str) -> bool:
        there = await self._disk.delete(call_id) or self.has(call_id) or (await self._journal.state(call_id)).unstored
        if there:
            self._here.discard(call_id)
            self._stored.discard(call_id)
            at_ms = now_ms()
            await self._journal.delete(call_id, at_ms=at_ms)
            self._delete_later(call_id, at_ms)
        return there

    def _take(self, state: RecordingState) -> None:
        if state.stored:
            self._stored.add(state.call_id)
        else:
            self._stored.discard(state.call_id)
        # An upload of this process may have come after another process has swept the store.
        ours = state.call_id in self._here or state.call_id in self._uploaded
        if state.deleted_at_ms and (ours or not state.swept):
            self._delete_later(state.call_id, state.deleted_at_ms)

    def _delete_later(self, call_id: str, at_ms: int) -> None:
        self._deletions[call_id] = at_ms
        self._work.set()

    async def _keep_storing(self) -> None:
        failures = 0
        try:
            await self._store.check()
        except StoreError as error:
            log.error("recordings can't be stored: %s", error.detail)
        while True:
            await self._work.wait()
            try:
                await self._work_off()
                self._work.clear()
                failures = 0
            except EarshotError as error:  # of the store, or of the journal
                log.error("recordings wait to be stored (%d) or deleted (%d): %s", len(self._uploads), len(self._deletions), error.detail)
                for call_id in self._uploads if isinstance(error, StoreError) else ():
                    self._problems.note(call_id, error.code)
                await asyncio.sleep(self._pauses_s[min(failures, len(self._pauses_s) - 1)])
                failures += 1

    async def _work_off(self) -> None:
        while self._deletions or self._uploads:
            for call_id, at_ms in list(self._deletions.items()):
                await self._sweep(call_id, at_ms)
            for call_id in list(self._uploads)[:1]:
                await self._upload(call_id)

    async def _sweep(self, call_id: str, at_ms: int) -> None:
        await self._drop_before(call_id, at_ms)
        await self._store.delete(call_id, at_ms)
        await self._journal.sweep(call_id, at_ms=at_ms)
        if self._deletions.get(call_id) == at_ms:
            del self._deletions[call_id]

    async def _upload(self, call_id: str) -> None:
        del self._uploads[call_id]  # what is finished meanwhile is queued again
        try:
            # Another process may have deleted it while this one was not running.
            await self._drop_before(call_id, (await self._journal.state(call_id)).deleted_at_ms)
            parts = await self._disk.parts(call_id)
            for part in parts:
                await self._upload_part(call_id, part)
        except (OSError, ValueError, KeyError) as error:  # of the files, which a new attempt would not mend
            log.error("the recording of call %s can't be read, so it is not stored: %s", call_id, error)
            self._problems.note(call_id, "unfinished")
            return
        except BaseException:
            self._uploads[call_id] = None
            raise
        remember(self._uploaded, call_id, None)
        if parts:
            log.info("stored the recording of call %s", call_id)
            self._problems.mended(call_id, "store_refused", "store_absent", "store_unavailable")

    async def _upload_part(self, call_id: str, part: Part) -> None:
        flac = self._disk.folder.of(call_id) / f"{part.number}.flac"
        try:
            await self._store.put(call_id, part, flac)
        except FileNotFoundError:  # deleted meanwhile
            return
        await self._journal.keep(call_id, began_ms=part.began_ms, stored=True)
        if self._deletions.get(call_id, 0) <= part.began_ms:
            self._stored.add(call_id)
        await self._drop(call_id, [part.began_ms])

    async def _drop_before(self, call_id: str, at_ms: int) -> None:
        if old := [part.began_ms for part in await self._disk.parts(call_id) if part.began_ms < at_ms]:
            await self._drop(call_id, old)

    async def _drop(self, call_id: str, began_ms: list[int]) -> None:
        await self._disk.drop(call_id, began_ms)
        if not await self._disk.parts(call_id):
            self._here.discard(call_id)
        self._changed(call_id)
