"""The journal of phone numbers: masks one number everywhere, or all numbers of old dials and audit rows, in pieces that let dials pass."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from services.domain.spellings import Spellings
from services.journal.database.database import Database
from services.journal.tables import numbers


class NumbersJournal:
    """Methods raise JournalError."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def open_dials(self, number: str) -> int:
        """The dials to a number whose calls may run, or may yet be found: as long as there are any, the number is needed."""
        return await self._database.read(partial(numbers.open_dials, number=number, now=self._now()))

    async def hide(self, spellings: Spellings) -> list[str]:
        """Masks a number in every text except those of running calls, open dials and the block list, and removes it from the database's
        files. Returns the ids of the calls that named it. Texts of earlier calls that are read later are stored with all numbers masked."""
        await self._database.write(partial(numbers.note_erasure, now=self._now()))
        changed: list[str] = []
        for place, keys in await self._database.read(partial(numbers.mentions, spellings=spellings)):
            changed += await self._database.write(partial(numbers.hide, spellings=spellings, place=place, keys=keys))
        await self._database.scour()
        return changed

    async def hide_old(self, before: datetime) -> None:
        """Masks the numbers of closed dials and audit rows older than `before`."""
        while tags := await self._database.read(partial(numbers.old_dials, before=before)):
            await self._database.write(partial(numbers.hide_dials, tags=tags))
        for ids in await self._database.read(partial(numbers.old_audit, before=before)):
            await self._database.write(partial(numbers.hide_audit, ids=ids))
