"""Notes, tags and dispositions of calls. Their texts are part of what a search looks in."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from services.domain.annotation import MOST_NOTES, MOST_TAGS, Annotations, Label, Note
from services.domain.call import Call, CallStatus
from services.domain.errors import CallNotFound, RequestError
from services.journal.database.codec import milliseconds, storable, time_of
from services.journal.database.schema import calls, labels, notes
from services.journal.records import AuditRow
from services.journal.tables import audit, erasures
from services.journal.tables.calls import get, save
from services.journal.tables.transcripts import index

TAG, DISPOSITION = "tag", "disposition"


def add_note(connection: sa.Connection, *, call: Call, note: Note, row: AuditRow) -> Note:
    """Adds a note to a call, with `row` in the audit. Returns it with its id. Raises CallNotFound for a call whose data was deleted."""
    call_id = _known(connection, call, note.at)
    count = sa.select(sa.func.count()).select_from(notes).where(notes.c.call_id == call_id)
    if connection.execute(count).scalar_one() >= MOST_NOTES:
        raise RequestError(f"A call has at most {MOST_NOTES} notes.")
    moment = None if note.moment_s is None else round(1000 * note.moment_s)
    values = {"call_id": call_id, "at": milliseconds(note.at), "who": note.by, "moment": moment, "text": storable(note.text)}
    id_ = connection.execute(notes.insert().values(values).returning(notes.c.id)).scalar_one()
    _written(connection, call_id, row)
    return next(found for found in of(connection, call_id).notes if found.id == id_)


def delete_note(connection: sa.Connection, *, call: Call, note_id: int, row: AuditRow) -> bool:
    """Deletes a note of a call, with `row` in the audit. False if there is none with this id."""
    gone = notes.delete().where(notes.c.call_id == call.id, notes.c.id == note_id)
    if not connection.execute(gone).rowcount:
        return False
    _written(connection, call.id, row)
    return True


def add_tag(connection: sa.Connection, *, call: Call, tag: Label, row: AuditRow) -> bool:
    """Tags a call, with `row` in the audit. False if it has the tag. Raises CallNotFound as `add_note` does."""
    call_id = _known(connection, call, tag.at)
    tags = of(connection, call_id).tags
    if any(known.text.casefold() == tag.text.casefold() for known in tags):
        return False
    if len(tags) >= MOST_TAGS:
        raise RequestError(f"A call has at most {MOST_TAGS} tags.")
    _put(connection, call_id, TAG, tag)
    _written(connection, call_id, row)
    return True


def remove_tag(connection: sa.Connection, *, call: Call, text: str, row: AuditRow) -> bool:
    """Removes a tag, in upper or lower case, with `row` in the audit. False if the call has none like it."""
    same = [tag.text for tag in of(connection, call.id).tags if tag.text.casefold() == text.casefold()]
    if not same:
        return False
    connection.execute(labels.delete().where(labels.c.call_id == call.id, labels.c.kind == TAG, labels.c.text.in_(same)))
    _written(connection, call.id, row)
    return True


def dispose(connection: sa.Connection, *, call: Call, disposition: Label | None, row: AuditRow) -> bool:
    """Sets the disposition of a call, None for none, with `row` in the audit. False if nothing changes. Raises CallNotFound as above."""
    call_id = _known(connection, call, disposition.at if disposition else row.at)
    known = of(connection, call_id).disposition
    if (known and known.text) == (disposition and disposition.text):
        return False
    connection.execute(labels.delete().where(labels.c.call_id == call_id, labels.c.kind == DISPOSITION))
    if disposition:
        _put(connection, call_id, DISPOSITION, disposition)
    _written(connection, call_id, row)
    return True


def of(connection: sa.Connection, call_id: str) -> Annotations:
    return among(connection, [call_id]).get(call_id, Annotations())


def among(connection: sa.Connection, call_ids: Collection[str]) -> dict[str, Annotations]:
    """The annotations of those of these calls that have any."""
    noted: dict[str, list[Note]] = {}
    for row in connection.execute(sa.select(notes).where(notes.c.call_id.in_(call_ids)).order_by(notes.c.id)):
        moment_s = None if row.moment is None else row.moment / 1000
        noted.setdefault(row.call_id, []).append(Note(id=row.id, at=time_of(row.at), by=row.who, text=row.text, moment_s=moment_s))
    labelled: dict[str, list[tuple[str, Label]]] = {}
    for row in connection.execute(sa.select(labels).where(labels.c.call_id.in_(call_ids))):
        labelled.setdefault(row.call_id, []).append((row.kind, Label(text=row.text, by=row.who, at=time_of(row.at))))
    return {
        call_id: Annotations(
            notes=tuple(noted.get(call_id, ())),
            tags=tuple(sorted((label for kind, label in labelled.get(call_id, ()) if kind == TAG), key=lambda label: label.text)),
            disposition=next((label for kind, label in labelled.get(call_id, ()) if kind == DISPOSITION), None),
        )
        for call_id in noted.keys() | labelled.keys()
    }


def labelled(kind: str, texts: Collection[str]) -> sa.ColumnElement[bool]:
    """That a call has one of these tags or dispositions."""
    return calls.c.id.in_(sa.select(labels.c.call_id).where(labels.c.kind == kind, labels.c.text.in_(texts)))


def _known(connection: sa.Connection, call: Call, now: datetime) -> str:
    """The id of a call of the journal, which it may not have had if only Vapi knew it. Raises CallNotFound if its data was deleted, and
    for a call of unknown outcome, which the call takes the place of that is found.
    """
    known = get(connection, call.id)
    if (known or call).status is CallStatus.UNKNOWN:
        raise CallNotFound("Earshot is still looking for this call at Vapi. Try again when it is found.")
    if known is None:
        save(connection, [(call, now)])
    if erasures.among(connection, [known.id if known else call.id]):
        raise CallNotFound("The data of this call was deleted.")
    return known.id if known else call.id


def _put(connection: sa.Connection, call_id: str, kind: str, label: Label) -> None:
    values = {"call_id": call_id, "kind": kind, "text": storable(label.text), "who": label.by, "at": milliseconds(label.at)}
    connection.execute(labels.insert().values(values))


def _written(connection: sa.Connection, call_id: str, row: AuditRow) -> None:
    index(connection, call_id)
    audit.note(connection, [row])
