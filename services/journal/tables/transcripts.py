"""The transcripts of ended calls: as lines, and as text for searching."""

import json
from collections.abc import Sequence

import sqlalchemy as sa

from services.domain.transcript import Line
from services.journal.database.codec import milliseconds, storable, time_of
from services.journal.database.schema import calls, transcripts


def save(connection: sa.Connection, wanted: Sequence[tuple[str, Sequence[Line]]]) -> None:
    """Saves transcripts. Of several for one call the last one counts."""
    for call_id, lines in dict(wanted).items():
        connection.execute(transcripts.delete().where(transcripts.c.call_id == call_id))
        connection.execute(transcripts.insert().values(call_id=call_id, lines=_dump(lines)))
        said = storable("\n".join(line.text for line in lines).casefold())
        connection.execute(calls.update().where(calls.c.id == call_id).values(said=said))


def get(connection: sa.Connection, call_id: str) -> tuple[Line, ...]:
    lines = connection.execute(sa.select(transcripts.c.lines).where(transcripts.c.call_id == call_id)).scalar()
    return tuple(Line(**line | {"at": time_of(line["at"])}) for line in json.loads(lines)) if lines else ()


def _dump(lines: Sequence[Line]) -> str:
    return json.dumps(
        [
            {"key": line.key, "speaker": line.speaker, "text": storable(line.text), "at": milliseconds(line.at), "final": line.final}
            for line in lines
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )
