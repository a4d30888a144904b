"""The audit: who did what to which call. Rows are only ever added."""

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from services.journal.database.codec import milliseconds, time_of
from services.journal.database.revisions import raised
from services.journal.database.schema import audit
from services.journal.records import AuditRow


def note(connection: sa.Connection, rows: Sequence[AuditRow]) -> None:
    values = [
        {
            "at": milliseconds(row.at),
            "who": row.who,
            "action": row.action,
            "call_id": row.call_id,
            "to_number": row.to,
            "outcome": row.outcome,
            "detail": row.detail,
            "words": row.words,
        }
        for row in rows
    ]
    connection.execute(audit.insert(), values)
    raised(connection)


def newest(connection: sa.Connection, call_id: str | None, actions: Collection[str] | None, limit: int) -> list[AuditRow]:
    """The newest rows first: of one call or of all, of some actions or of all."""
    query = sa.select(audit).order_by(audit.c.id.desc()).limit(limit)
    if call_id is not None:
        query = query.where(audit.c.call_id == call_id)
    if actions is not None:
        query = query.where(audit.c.action.in_(sorted(actions)))
    return [_row(row) for row in connection.execute(query)]


def page(connection: sa.Connection, who: str | None, call_id: str | None, before: int | None, limit: int) -> list[tuple[int, AuditRow]]:
    """The newest rows first, each with its id: by one client or by all, of one call or of all, with smaller ids than `before`."""
    query = sa.select(audit).order_by(audit.c.id.desc()).limit(limit)
    for column, wanted in ((audit.c.who, who), (audit.c.call_id, call_id)):
        if wanted is not None:
            query = query.where(column == wanted)
    if before is not None:
        query = query.where(audit.c.id < before)
    return [(row.id, _row(row)) for row in connection.execute(query)]


def _row(row: sa.Row[Any]) -> AuditRow:
    return AuditRow(
        at=time_of(row.at),
        who=row.who,
        action=row.action,
        call_id=row.call_id,
        to=row.to_number,
        outcome=row.outcome,
        detail=row.detail,
        words=row.words,
    )


_NEWEST_ID = sa.select(sa.func.max(audit.c.id))


def newest_id(connection: sa.Connection) -> int:
    return connection.execute(_NEWEST_ID).scalar() or 0


def noted_since(connection: sa.Connection, id_: int) -> tuple[int, frozenset[str]]:
    """The id of the newest row, and the calls that rows after `id_` are about."""
    rows = connection.execute(sa.select(audit.c.id, audit.c.call_id).where(audit.c.id > id_)).all()
    return max((row.id for row in rows), default=id_), frozenset(row.call_id for row in rows if row.call_id)
