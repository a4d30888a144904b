"""What the journal forgets, so that it does not grow for ever: looked for beside the writing, deleted in batches that let dials pass."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from services.journal.codec import milliseconds
from services.journal.schema import audit, calls, dials

KEPT = timedelta(days=400)
"""Calls, their dials and the audit: what stands on a bill can still be looked into a year later."""

REFUSED_KEPT = timedelta(days=7)
"""Dials from which nothing came, and which count for nothing. The audit tells of them for as long as of all others."""

_BATCH = 500  # rows, deleted in some milliseconds

Outdated = list[tuple[sa.ColumnClause[Any], list[Any]]]


def outdated(connection: sa.Connection, now: datetime) -> Outdated:
    """By the column that names them, the next rows that are too old. Dials that are still open are never among them."""
    long_ago, refused_long_ago = milliseconds(now - KEPT), milliseconds(now - REFUSED_KEPT)
    settled = sa.text("state NOT IN ('dialling', 'unknown')")
    refused = (dials.c.state == "refused") & (dials.c.dialled_at <= refused_long_ago)
    too_old: list[tuple[sa.ColumnClause[Any], sa.ColumnElement[bool]]] = [
        (dials.c.tag, settled & ((dials.c.dialled_at <= long_ago) | refused)),
        (calls.c.id, calls.c.created_at <= long_ago),
        (audit.c.id, audit.c.at <= long_ago),
    ]
    found = [(name, list(connection.execute(sa.select(name).where(condition).limit(_BATCH)).scalars())) for name, condition in too_old]
    return [(name, values) for name, values in found if values]


def delete(connection: sa.Connection, name: sa.ColumnClause[Any], values: Sequence[Any]) -> None:
    table = next(table for table in (dials, calls, audit) if table is name.table)
    connection.execute(table.delete().where(name.in_(values)))
