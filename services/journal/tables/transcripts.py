"""The transcripts of ended calls: as lines, and, with what people wrote about the calls, as text for searching."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.domain.speech import Kind
from services.domain.spellings import hide_digits
from services.domain.transcript import Line
from services.journal.database.codec import milliseconds, storable, time_of
from services.journal.database.schema import calls, labels, notes, transcripts
from services.journal.tables import alerts, erasures, numbers, outbox


def save(connection: sa.Connection, wanted: Sequence[tuple[str, Sequence[Line]]]) -> None:
    """Saves transcripts: of several for one call the last one, of a call whose data was deleted none. In lines from before a number was
    erased, all numbers are masked."""
    since = numbers.erased_at(connection)
    latest = {call_id: tuple(_hidden(line) if milliseconds(line.at) < since else line for line in lines) for call_id, lines in wanted}
    for call_id in erasures.among(connection, latest.keys()):
        del latest[call_id]
    for call_id, lines in latest.items():
        altered = get(connection, call_id) != lines
        connection.execute(transcripts.delete().where(transcripts.c.call_id == call_id))
        connection.execute(transcripts.insert().values(call_id=call_id, lines=_dump(lines)))
        index(connection, call_id)
        if altered:
            outbox.transcript_written(connection, call_id)


def older(connection: sa.Connection, before: datetime, limit: int) -> list[str]:
    """Ended calls older than `before` that have a transcript."""
    old = (
        sa.select(transcripts.c.call_id).join(calls, calls.c.id == transcripts.c.call_id).where(calls.c.created_at <= milliseconds(before))
    )
    return list(connection.execute(old.limit(limit)).scalars())


def delete(connection: sa.Connection, call_ids: Sequence[str]) -> None:
    """Deletes the transcripts of these calls, also from the search index, and the quotations in their alerts."""
    connection.execute(transcripts.delete().where(transcripts.c.call_id.in_(call_ids)))
    alerts.unquote(connection, call_ids)
    for call_id in call_ids:
        index(connection, call_id)


def index(connection: sa.Connection, call_id: str) -> None:
    """Has a search find a call by its transcript, notes, tags and disposition as they are now."""
    written = [sa.select(table.c.text).where(table.c.call_id == call_id) for table in (notes, labels)]
    texts = [text for query in written for text in connection.execute(query).scalars()]
    said = storable("\n".join([*(line.text for line in get(connection, call_id)), *texts]).casefold())
    connection.execute(calls.update().where(calls.c.id == call_id).values(said=said))


def get(connection: sa.Connection, call_id: str) -> tuple[Line, ...]:
    lines = connection.execute(sa.select(transcripts.c.lines).where(transcripts.c.call_id == call_id)).scalar()
    return tuple(_line(line) for line in json.loads(lines)) if lines else ()


def _hidden(line: Line) -> Line:
    return replace(line, text=hide_digits(line.text), result=None if line.result is None else hide_digits(line.result))


def _line(stored: dict[str, Any]) -> Line:
    return Line(**stored | {"at": time_of(stored["at"]), "kind": Kind(stored.get("kind", Kind.SPEECH))})


def _dump(lines: Sequence[Line]) -> str:
    return json.dumps([_stored(line) for line in lines], ensure_ascii=False, separators=(",", ":"))


def _stored(line: Line) -> dict[str, Any]:
    stored = {"key": line.key, "speaker": line.speaker, "text": storable(line.text), "at": milliseconds(line.at), "final": line.final}
    if line.kind is not Kind.SPEECH:
        stored["kind"] = line.kind.value
    if line.name:
        stored["name"] = storable(line.name)
    if line.result is not None:
        stored["result"] = storable(line.result)
    return stored
