"""What people write about calls: notes, tags, and a disposition from the owner's list. The journal has it, and who wrote it when."""

from collections.abc import Collection
from datetime import UTC, datetime

from services.desk.calls.call_rights import CallRights
from services.domain.annotation import LONGEST_MOMENT_S, Annotations, Label, Note, label_text, note_text
from services.domain.call import Call
from services.domain.client import Client, Scope
from services.domain.errors import FieldError, RequestError
from services.journal import AuditRow, Journal
from services.support.signals import Signal


class CallAnnotations:
    """`changed` emits the id of a call whose annotations any process has changed. `dispositions` are those to choose from.

    Methods raise JournalError, and what changes something Forbidden. The texts are the call's data: the audit has only that something was
    written.
    """

    def __init__(self, journal: Journal, dispositions: Collection[str] = (), *, rights: CallRights) -> None:
        self.changed: Signal[str] = Signal()
        self.dispositions = tuple(dispositions)
        self._journal = journal.annotations
        self._rights = rights

    async def of(self, call: Call) -> Annotations:
        return await self._journal.of(call.id)

    async def among(self, calls: Collection[Call]) -> dict[str, Annotations]:
        """The annotations of those of these calls that have any, by id."""
        return await self._journal.among([call.id for call in calls])

    async def add_note(self, call: Call, text: str, client: Client, *, moment_s: float | None = None) -> Note:
        """Adds a note on the call, or on a moment of its recording. Raises RequestError, and CallNotFound if the data was deleted."""
        if moment_s is not None and not 0 <= moment_s <= LONGEST_MOMENT_S:
            raise RequestError("This moment is not in the call.", errors=[FieldError("t", "Seconds of the call's recording.")])
        await self._rights.check(call, client, Scope.CONTROL)
        now = datetime.now(UTC)
        note = Note(id=0, at=now, by=client.name, text=note_text(text), moment_s=moment_s)
        stored = await self._journal.add_note(call, note, _row(call, client, "note", now))
        self.changed.emit(call.id)
        return stored

    async def delete_note(self, call: Call, note_id: int, client: Client) -> bool:
        """False if the call has no note with this id."""
        await self._rights.check(call, client, Scope.CONTROL)
        gone = await self._journal.delete_note(call, note_id, _row(call, client, "delete-note"))
        return self._emitted(call, gone)

    async def add_tag(self, call: Call, text: str, client: Client) -> bool:
        """False if the call has the tag. Raises RequestError, and CallNotFound if the data was deleted."""
        await self._rights.check(call, client, Scope.CONTROL)
        now = datetime.now(UTC)
        tag = Label(text=label_text(text), by=client.name, at=now)
        return self._emitted(call, await self._journal.add_tag(call, tag, _row(call, client, "tag", now)))

    async def remove_tag(self, call: Call, text: str, client: Client) -> bool:
        """False if the call has no such tag."""
        await self._rights.check(call, client, Scope.CONTROL)
        return self._emitted(call, await self._journal.remove_tag(call, " ".join(text.split()), _row(call, client, "untag")))

    async def dispose(self, call: Call, text: str | None, client: Client) -> bool:
        """Sets the disposition; None removes it. False if nothing changes. Raises RequestError for one that is not in the list."""
        if text is not None and text not in self.dispositions:
            allowed = f"one of: {', '.join(self.dispositions)}" if self.dispositions else "in EARSHOT_DISPOSITIONS, which is not set"
            raise RequestError("There is no such disposition.", errors=[FieldError("disposition", f"It has to be {allowed}.")])
        await self._rights.check(call, client, Scope.CONTROL)
        now = datetime.now(UTC)
        disposition = None if text is None else Label(text=text, by=client.name, at=now)
        return self._emitted(call, await self._journal.dispose(call, disposition, _row(call, client, "dispose", now)))

    def _emitted(self, call: Call, changed: bool) -> bool:
        if changed:
            self.changed.emit(call.id)
        return changed


def _row(call: Call, client: Client, action: str, at: datetime | None = None) -> AuditRow:
    return AuditRow(at=at or datetime.now(UTC), who=client.name, action=action, call_id=call.id, to=call.to, outcome="done")
