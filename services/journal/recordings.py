"""The journal of recordings: who records which call, and what is kept of it."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import partial

from services.journal.database.codec import milliseconds
from services.journal.database.database import Database
from services.journal.processes.feed import Feed, News
from services.journal.processes.presence import Presence
from services.journal.records import Lease, RecordingState
from services.journal.tables import erasures, recordings
from services.journal.tables.recordings import Kept
from services.journal.writing.writer import Writer
from services.journal.writing.writes import Fact

_SWITCH_OFF: Fact[str] = Fact(turn=4, run=recordings.switch_off, about=lambda call_id: call_id, merge=lambda _, newer: newer)
_KEEP: Fact[Kept] = Fact(turn=4, run=recordings.keep, about=lambda part: part.call_id)
_DELETED: Fact[tuple[str, int]] = Fact(turn=4, run=partial(recordings.delete, swept=True), about=lambda deletion: deletion[0])
_SWEEP: Fact[tuple[str, int]] = Fact(turn=4, run=recordings.sweep, about=lambda deletion: deletion[0])


class RecordingsJournal:
    """One process's view. Methods raise JournalError, except those that report facts (`switch_off`, `keep`, `deleted`, `sweep`): these are
    written as soon as the database allows it.
    """

    def __init__(self, database: Database, writer: Writer, feed: Feed, presence: Presence, instance: str) -> None:
        self.instance = instance
        self._presence = presence
        self._database = database
        self._writer = writer
        self._feed = feed

    async def take_lease(self, call_id: str, *, unasked: bool = False, leave_to_placer_of: str | None = None) -> Lease | None:
        """Makes this process the one that records a call. None if another one does, if it is `unasked` and was switched off, or if nobody
        has yet and another living process placed the dial with the tag `leave_to_placer_of`.
        """
        take = partial(recordings.take, call_id=call_id, instance=self.instance, living=self._presence.living)
        return await self._database.write(partial(take, unasked=unasked, leave_to_placer_of=leave_to_placer_of))

    async def renew_leases(self, heard_from: Mapping[str, int | None]) -> set[str]:
        """Renews leases of this process, at least every 2 seconds, with the time of each recording's first sound in milliseconds since
        1970. Returns those that another process has taken over.
        """
        return await self._database.write(partial(recordings.renew, heard_from=heard_from, instance=self.instance))

    async def stale_leases(self) -> list[str]:
        """The calls whose recording process is gone."""
        return await self._database.read(recordings.stale)

    async def release_lease(self, call_id: str) -> None:
        await self._database.write(partial(recordings.release, call_id=call_id, instance=self.instance))

    async def hand_over_leases(self) -> None:
        """Lets other processes record at once what this one records."""
        await self._database.write(partial(recordings.hand_over, instance=self.instance))

    async def switch_off(self, call_id: str) -> None:
        """Reports that somebody wants this call not to be recorded. Whichever process records it stops, and none starts again unasked."""
        await self._writer.record(_SWITCH_OFF, call_id)

    async def keep(self, call_id: str, *, began_ms: int, stored: bool = False) -> None:
        """Reports a finished part that began then (since 1970), in the folder or `stored` in the store."""
        await self._writer.record(_KEEP, Kept(call_id=call_id, began_ms=began_ms, stored=stored))

    async def deleted(self, call_id: str, *, at_ms: int) -> None:
        """Reports that what began before `at_ms` was deleted."""
        await self._writer.record(_DELETED, (call_id, at_ms))

    async def delete(self, call_id: str, *, at_ms: int) -> None:
        """Deletes what began before `at_ms`. The store still has to be asked to: see `sweep`."""
        await self._database.write(partial(recordings.delete, deletions=[(call_id, at_ms)], swept=False))

    async def sweep(self, call_id: str, *, at_ms: int) -> None:
        """Reports that the store has deleted what `delete` wanted at `at_ms`."""
        await self._writer.record(_SWEEP, (call_id, at_ms))

    async def known(self) -> list[RecordingState]:
        """The recordings that are under way, stored, to be deleted from the store, or were lately switched off."""
        return await self._database.read(recordings.known)

    async def older(self, before: datetime) -> list[str]:
        """The calls whose recordings are finished and began before then, oldest first."""
        return await self._database.read(partial(recordings.older, before_ms=milliseconds(before)))

    async def state(self, call_id: str) -> RecordingState:
        """What is known of a call's recording, also of one that was deleted or never begun."""
        return await self._database.read(partial(recordings.get, call_id=call_id))

    async def erased_among(self, call_ids: Collection[str]) -> set[str]:
        """Those of these calls whose data was deleted, so that their recordings have to go."""
        return await self._database.read(partial(erasures.among, call_ids=call_ids))

    async def follow(self, take: Callable[[RecordingState], None]) -> None:
        """Passes `take` each state that another process writes from now on."""

        def hear(news: News) -> None:
            for state in news.recordings:
                take(state)

        await self._feed.follow(hear)
