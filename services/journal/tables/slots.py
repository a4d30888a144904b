"""The slots of this installation's calls. A dial takes one for a window of time, and gives it back on proof that its call is over."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from services.domain.call import LONGEST_CALL_SECONDS, Call, CallOrder, CallStatus
from services.journal.database.codec import load_call, milliseconds
from services.journal.database.schema import calls, dials

LONGEST = timedelta(seconds=LONGEST_CALL_SECONDS, hours=1)
"""Vapi ends every call after its longest duration. The hour covers ringing. A call that was due earlier is over, even if nobody saw it."""

_LATE = timedelta(minutes=30)  # by which Vapi may start a call late, ringing included
CLOCKS = timedelta(seconds=30)
"""A window that begins so soon counts as begun: a process that waited for the lock, or whose clock is slow, asks with an earlier time than
that of the dials before it."""
_MOST = 1000  # calls per read
_SEARCHED = timedelta(minutes=15)  # for longer, nobody searches for the call of a dial whose outcome is unknown

_RUNNING = [status.value for status in CallStatus if status not in (CallStatus.UNKNOWN, CallStatus.ENDED)]

_NOW = sa.bindparam("now", type_=sa.BigInteger)
_HELD = sa.and_(dials.c.slot_until > _NOW, dials.c.slot_from <= _NOW + CLOCKS // timedelta(milliseconds=1))
_COUNT = sa.select(sa.func.count()).select_from(dials).where(_HELD)
"""One statement, because every dial waits for it."""

_MAY_RUN = sa.select(calls.c.id).where(
    calls.c.status.in_(_RUNNING),
    (calls.c.created_at > sa.bindparam("since", type_=sa.BigInteger))
    | (calls.c.status == CallStatus.SCHEDULED.value)
    | sa.exists().where(dials.c.tag == calls.c.tag, dials.c.slot_until > _NOW),
)


def window(order: CallOrder, now: datetime) -> tuple[int, int]:
    """From when until when, in milliseconds, a dial written down at `now` holds a slot if nobody ever learns that its call is over."""
    begins = max(now, order.earliest_at or now)
    return milliseconds(begins), milliseconds(max(begins, order.latest_at or begins) + LONGEST)


def taken(connection: sa.Connection, now: datetime) -> int:
    """The number of slots that are taken now."""
    return int(connection.execute(_COUNT, {"now": milliseconds(now)}).scalar_one())


def abandoned(connection: sa.Connection, now: datetime) -> int:
    """The number of slots that are taken by dials of unknown outcome for which nobody searches any more."""
    unclear = _COUNT.where(dials.c.state.in_(("dialling", "unknown")), dials.c.dialled_at <= milliseconds(now - _SEARCHED))
    return int(connection.execute(unclear, {"now": milliseconds(now)}).scalar_one())


def booked(connection: sa.Connection, begins: datetime, now: datetime, order: CallOrder, but: str | None) -> int:
    """The number of calls that are scheduled so that they may run when `order`, which is scheduled for `begins`, does. The dial with the
    tag `but` is left out.
    """
    longest = timedelta(seconds=order.max_duration_seconds or LONGEST_CALL_SECONDS) + _LATE
    # Each of them begins between its `slot_from` and `LONGEST` before its `slot_until`.
    last = max(begins, order.latest_at or begins) + longest
    around = (dials.c.slot_from <= milliseconds(last)) & (dials.c.slot_until >= milliseconds(begins - longest + LONGEST))
    ahead = sa.select(sa.func.count()).select_from(dials).where(dials.c.slot_until > milliseconds(now), around, dials.c.tag != (but or ""))
    return int(connection.execute(ahead).scalar_one())


def release(connection: sa.Connection, tags: Sequence[str]) -> int:
    """Frees the slots of these dials. Returns how many were held."""
    held = dials.update().where(dials.c.tag.in_(tags), dials.c.slot_until.is_not(None))
    return connection.execute(held.values(slot_until=None)).rowcount


def running(connection: sa.Connection, now: datetime, but: Collection[str]) -> list[Call]:
    """The calls of any origin that may be running or are scheduled, as last read. The ids in `but` are left out before loading."""
    found = connection.execute(_MAY_RUN, {"now": milliseconds(now), "since": milliseconds(now - LONGEST)}).scalars()
    ids = [id_ for id_ in found if id_ not in but][:_MOST]
    if not ids:
        return []
    return [load_call(data) for data in connection.execute(sa.select(calls.c.data).where(calls.c.id.in_(ids))).scalars()]


def free(connection: sa.Connection, call_id: str) -> bool:
    """Frees the slot of a call, whether or not it is over. False if it held none."""
    tag = sa.select(calls.c.tag).where(calls.c.id == call_id).scalar_subquery()
    of_call = (dials.c.call_id == call_id) | (dials.c.tag == call_id.removeprefix("unknown-")) | (dials.c.tag == tag)
    return bool(release(connection, connection.execute(sa.select(dials.c.tag).where(of_call)).scalars().all()))
