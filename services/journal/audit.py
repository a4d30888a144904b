"""The audit: who did what to which call. Rows are only ever added."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from services.journal.codec import milliseconds, time_of
from services.journal.records import AuditRow
from services.journal.schema import audit


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


def newest(connection: sa.Connection, call_id: str | None, actions: Collection[str] | None, limit: int) -> list[AuditRow]:
    """The newest rows first: of one call or of all, of some actions or of all."""
    query = sa.select(audit).order_by(audit.c.id.desc()).limit(limit)
    if call_id is not None:
        query = query.where(audit.c.call_id == call_id)
    if actions is not None:
        query = query.where(audit.c.action.in_(sorted(actions)))
    return [
        AuditRow(
            at=time_of(row.at),
            who=row.who,
            action=row.action,
            call_id=row.call_id,
            to=row.to_number,
            outcome=row.outcome,
            detail=row.detail,
            words=row.words,
        )
        for row in connection.execute(query)
    ]
