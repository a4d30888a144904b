"""The journal of what people write about calls: notes, tags and dispositions."""

from collections.abc import Collection
from functools import partial

from services.domain.annotation import Annotations, Label, Note
from services.domain.call import Call
from services.journal.database.database import Database
from services.journal.records import AuditRow
from services.journal.tables import annotations


class AnnotationsJournal:
    """Methods raise JournalError. Those that write add `row` to the audit, and raise CallNotFound for a call whose data was deleted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_note(self, call: Call, note: Note, row: AuditRow) -> Note:
        """Returns the note with its id. Raises RequestError if the call has too many."""
        return await self._database.write(partial(annotations.add_note, call=call, note=note, row=row))

    async def delete_note(self, call: Call, note_id: int, row: AuditRow) -> bool:
        """False if the call has no note with this id."""
        return await self._database.write(partial(annotations.delete_note, call=call, note_id=note_id, row=row))

    async def add_tag(self, call: Call, tag: Label, row: AuditRow) -> bool:
        """False if the call has the tag. Raises RequestError if it has too many."""
        return await self._database.write(partial(annotations.add_tag, call=call, tag=tag, row=row))

    async def remove_tag(self, call: Call, text: str, row: AuditRow) -> bool:
        """False if the call has no such tag."""
        return await self._database.write(partial(annotations.remove_tag, call=call, text=text, row=row))

    async def dispose(self, call: Call, disposition: Label | None, row: AuditRow) -> bool:
        """Sets the disposition; None removes it. False if nothing changes."""
        return await self._database.write(partial(annotations.dispose, call=call, disposition=disposition, row=row))

    async def of(self, call_id: str) -> Annotations:
        return await self._database.read(partial(annotations.of, call_id=call_id))

    async def among(self, call_ids: Collection[str]) -> dict[str, Annotations]:
        """The annotations of those of these calls that have any."""
        return await self._database.read(partial(annotations.among, call_ids=call_ids))
