"""Which events have their turn: of each call, an endpoint is sent only the oldest one that waits."""

from collections.abc import Collection

import sqlalchemy as sa

from services.journal.database.clock import shared_ms
from services.journal.database.schema import endpoints, outbox

NO_TURN_MS = 2**53
"""`next_at` of an event that waits for an earlier one of its call. With it in the index of what is due, no search passes over such events,
however many there are."""

MOST_EVENTS = 100_000
"""Events kept for each endpoint; the oldest beyond it are deleted, so that a receiver that never answers does not fill the disk."""

_BATCH = 500
# Literal text, so that the partial index with the same text is used.
WAITING = sa.text("earshot_outbox.state = 'waiting'")
_earlier = outbox.alias("earlier")
_BEHIND = sa.exists().where(
    _earlier.c.endpoint == outbox.c.endpoint,
    _earlier.c.call_id == outbox.c.call_id,
    sa.text("earlier.state = 'waiting'"),
    _earlier.c.id < outbox.c.id,
)


def line_up(connection: sa.Connection, call_ids: Collection[str]) -> None:
    """Gives the oldest waiting event of each of these calls its turn, and from now a full day of attempts."""
    of_these = outbox.c.call_id.in_(call_ids)
    now = shared_ms(connection)
    connection.execute(outbox.update().where(WAITING, of_these, outbox.c.next_at != NO_TURN_MS, _BEHIND).values(next_at=NO_TURN_MS))
    connection.execute(outbox.update().where(WAITING, of_these, outbox.c.next_at == NO_TURN_MS, ~_BEHIND).values(next_at=now, since=now))


def out_of_turn(connection: sa.Connection) -> list[str]:
    """Calls whose events are not lined up: an older Earshot on the same journal may have written them."""
    wrong = ((outbox.c.next_at == NO_TURN_MS) & ~_BEHIND) | ((outbox.c.next_at != NO_TURN_MS) & _BEHIND)
    return list(connection.execute(sa.select(outbox.c.call_id).where(WAITING, wrong).distinct().limit(_BATCH)).scalars())


def excess(connection: sa.Connection) -> list[tuple[str, int]]:
    """The endpoints with too many events, and the newest event of each that has to go."""
    found = []
    for endpoint_id in connection.execute(sa.select(endpoints.c.id)).scalars().all():
        newest = sa.select(outbox.c.id).where(outbox.c.endpoint == endpoint_id).order_by(outbox.c.id.desc())
        if last := connection.execute(newest.offset(MOST_EVENTS).limit(1)).scalar():
            found.append((endpoint_id, last))
    return found


def shorten(connection: sa.Connection, endpoint_id: str, last: int) -> tuple[int, int]:
    """Deletes a batch of an endpoint's events up to this one. Returns how many, and how many of them were still to be sent."""
    old = sa.select(outbox.c.id, outbox.c.state, outbox.c.call_id).where(outbox.c.endpoint == endpoint_id, outbox.c.id <= last)
    rows = connection.execute(old.order_by(outbox.c.id).limit(_BATCH)).all()
    connection.execute(outbox.delete().where(outbox.c.id.in_([row.id for row in rows])))
    if unsent := [row.call_id for row in rows if row.state == "waiting"]:
        line_up(connection, set(unsent))
    return len(rows), len(unsent)
