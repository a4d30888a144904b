"""The calls of all processes that may be running. Each takes a slot until its end is certain."""

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa

from services.domain.call import LONGEST_CALL_SECONDS, Call, CallStatus
from services.journal.codec import load_call, load_order, milliseconds
from services.journal.schema import calls, dials

LONGEST = timedelta(seconds=LONGEST_CALL_SECONDS, hours=1)
"""Vapi ends every call after its longest duration. The hour covers ringing. A call created earlier has ended, even if nobody saw it."""

_MOST = 1000  # calls per read

_RUNNING = [status.value for status in CallStatus if status not in (CallStatus.UNKNOWN, CallStatus.ENDED)]
# Literal text, so that the partial index with the same text is used.
_OPEN = sa.text("state IN ('dialling', 'unknown')")

_SINCE = sa.bindparam("since", type_=sa.BigInteger)
_SOME_RUN = sa.select(sa.func.count()).where(calls.c.status.in_(_RUNNING))
# A call that has just been found is in both tables until its dial is settled.
_FOUND = sa.exists().where(calls.c.tag == dials.c.tag, calls.c.status.in_(_RUNNING))
_COUNT = sa.select(
    _SOME_RUN.where(calls.c.created_at > _SINCE).scalar_subquery().label("lately"),
    _SOME_RUN.where(calls.c.created_at <= _SINCE).scalar_subquery().label("older"),
    sa.select(sa.func.count()).select_from(dials).where(_OPEN, ~_FOUND).scalar_subquery().label("waiting"),
)
"""One statement, because every dial waits for it."""


def taken(connection: sa.Connection, now: datetime) -> int:
    """The number of taken slots: calls that may be running, and dials of unknown outcome."""
    lately, older, waiting = connection.execute(_COUNT, {"since": milliseconds(now - LONGEST)}).one()
    return int(lately + waiting) + (len(_scheduled(connection, now)) if older else 0)


def running(connection: sa.Connection, now: datetime, but: Collection[str]) -> list[Call]:
    """The calls that may be running, as last read. The ids in `but` are left out before anything is loaded."""
    lately = sa.select(calls.c.id).where(calls.c.status.in_(_RUNNING), calls.c.created_at > milliseconds(now - LONGEST))
    ids = [id_ for id_ in (*connection.execute(lately).scalars(), *_scheduled(connection, now)) if id_ not in but][:_MOST]
    return [load_call(data) for data in connection.execute(sa.select(calls.c.data).where(calls.c.id.in_(ids))).scalars()]


def _scheduled(connection: sa.Connection, now: datetime) -> list[str]:
    """The ids of calls that were created long ago but scheduled for a recent time."""
    made_long_ago = (
        sa.select(calls.c.id, dials.c.asked)
        .join(dials, dials.c.tag == calls.c.tag)
        .where(calls.c.status.in_(_RUNNING), calls.c.created_at <= milliseconds(now - LONGEST))
        .where(dials.c.asked.contains('"earliest_at"', autoescape=True))
    )
    found = [(row.id, load_order(row.asked).earliest_at) for row in connection.execute(made_long_ago)]
    return [id_ for id_, earliest in found if earliest and earliest > now - LONGEST]
