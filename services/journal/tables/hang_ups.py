"""Dials whose call somebody wants ended as soon as it is known, whichever process learns of it."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from services.journal.database.codec import milliseconds
from services.journal.database.schema import dials
from services.journal.records import Dial
from services.journal.tables.dials import OPEN, dial_of

# Literal text, so that the partial index with the same text is used.
_WANTED = sa.text("hang_up_by IS NOT NULL")
_WANTED_DIALS = sa.select(dials).where(_WANTED).order_by(dials.c.dialled_at)


def want(connection: sa.Connection, who: str, asked_at: datetime | None = None) -> list[Dial]:
    """Has the call of every open dial, of all processes, ended for `who` once it is known. Returns these dials.

    With `asked_at`, which is earlier, also the calls of dials that may have been open then and hold their slots still.
    """
    these: sa.TextClause | sa.ColumnElement[bool] = OPEN
    if asked_at is not None:
        these = sa.or_(OPEN, sa.and_(dials.c.dialled_at <= milliseconds(asked_at), dials.c.slot_until.is_not(None)))
    connection.execute(dials.update().where(these, dials.c.hang_up_by.is_(None)).values(hang_up_by=who))
    rows = connection.execute(sa.select(dials).where(these).order_by(dials.c.dialled_at)).mappings()
    return [dial_of(row) for row in rows]


def wanted(connection: sa.Connection) -> list[Dial]:
    """The dials whose call is to be ended, oldest first."""
    return [dial_of(row) for row in connection.execute(_WANTED_DIALS).mappings()]


def done(connection: sa.Connection, tags: Sequence[str]) -> None:
    """The calls of these dials have ended, or there never were any."""
    connection.execute(dials.update().where(dials.c.tag.in_(tags)).values(hang_up_by=None))
