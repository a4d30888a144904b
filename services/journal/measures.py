"""The journal of measures: what was measured of each call, and which process measures it."""

from collections.abc import Collection
from functools import partial

from services.journal.database.database import Database
from services.journal.processes.presence import Presence
from services.journal.records import Counted
from services.journal.tables import measures
from services.journal.tables.measures import Saved
from services.journal.writing.writer import Writer
from services.journal.writing.writes import Fact

_NOTHING = Counted()
_SAVE: Fact[Saved] = Fact(turn=5, run=measures.save, about=lambda saved: saved.call_id, merge=lambda _, newer: newer)


class MeasuresJournal:
    """One process's view. Methods raise JournalError, except `save`, which is written as soon as the database allows it."""

    def __init__(self, database: Database, writer: Writer, presence: Presence, instance: str) -> None:
        self._database = database
        self._writer = writer
        self._presence = presence
        self._instance = instance

    async def take(self, call_id: str, *, leave_to_placer_of: str | None = None) -> str | None:
        """Makes this process the one that measures a call. Returns what was measured before, empty if nothing; None if another living
        process measures it, or if nobody has yet and another living process placed the dial with the tag `leave_to_placer_of`."""
        taken = partial(measures.taken, call_id=call_id, instance=self._instance, living=self._presence.living)
        if await self._database.read(taken):  # a read first, since each process asks every few seconds for each call
            return None
        take = partial(measures.take, call_id=call_id, instance=self._instance, living=self._presence.living)
        return await self._database.write(partial(take, leave_to_placer_of=leave_to_placer_of))

    async def save(self, call_id: str, data: str, *, brief: str, counted: Counted = _NOTHING, over: bool = False) -> None:
        """Reports what this process has measured of a call so far, whole, in brief and for insights. `over`: it measures no more of it."""
        saved = Saved(call_id=call_id, instance=self._instance, data=data, brief=brief, counted=counted, over=over)
        await self._writer.record(_SAVE, saved)

    async def of(self, call_id: str) -> str:
        """What was measured of a call; empty if nothing was."""
        return await self._database.read(partial(measures.get, call_id=call_id))

    async def briefs(self, call_ids: Collection[str]) -> dict[str, str]:
        """What was measured of these calls in brief, by id, without those of which nothing was."""
        return await self._database.read(partial(measures.briefs, call_ids=call_ids))
