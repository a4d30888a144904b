"""The journal of deleted data: which calls it was deleted of, and whether Vapi has confirmed that."""

from datetime import datetime
from functools import partial

from services.domain.call import Call, Erasure
from services.journal.database.database import Database
from services.journal.records import AuditRow
from services.journal.tables import erasures


class ErasuresJournal:
    """Methods raise JournalError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, call: Call, erasure: Erasure, note: AuditRow) -> Call:
        """Deletes what is stored of an ended call, and adds `note` to the audit. Returns what is left of the call (`call.erased`)."""
        return await self._database.write(partial(erasures.begin, call=call, erasure=erasure, note=note))

    async def pending(self) -> list[tuple[str, Erasure]]:
        """The ids of the calls whose data Vapi has not confirmed to have deleted, oldest first."""
        return await self._database.read(erasures.pending)

    async def older(self, before: datetime, after: tuple[int, str] = (0, ""), limit: int = 50) -> list[tuple[int, str]]:
        """Ended calls older than `before` whose data is not deleted, oldest first: their times and ids. `after` is the last one of the page
        before."""
        return await self._database.read(partial(erasures.older, before=before, after=after, limit=limit))

    async def confirm(self, call_id: str, note: AuditRow) -> Call | None:
        """Vapi has deleted the call's data. Adds `note` to the audit, once. Returns the call."""
        return await self._database.write(partial(erasures.confirm, call_id=call_id, at=note.at, note=note))
