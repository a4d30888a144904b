"""Calls whose data is to be deleted: deletes it here, and remembers until Vapi has confirmed the deletion there."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from services.domain.call import Call, CallOrder, CallStatus, Erasure, erased
from services.journal.database.codec import dump, load_order, milliseconds, time_of
from services.journal.database.schema import alerts, calls, dials, erasures, labels, measures, notes, transcripts
from services.journal.records import AuditRow
from services.journal.tables import audit, outbox
from services.journal.tables.calls import get, save

# Literal text, so that the partial index with the same text is used.
_PENDING = sa.text("confirmed_at IS NULL")
_PENDING_ONES = sa.select(erasures).where(_PENDING).order_by(erasures.c.asked_at)

_LEFT_OF_ORDER = ("to", "region", "assistant_id", "phone_number_id", "tag", "max_duration_seconds", "earliest_at", "latest_at")


def begin(connection: sa.Connection, call: Call, erasure: Erasure, note: AuditRow) -> Call:
    """Deletes what is stored of an ended call, all at once. Returns what is left, which an earlier erasure leaves as it is."""
    if (known := get(connection, call.id)) and known.erasure:
        return known
    connection.execute(
        erasures.insert().values(call_id=call.id, who=erasure.by, asked_at=milliseconds(erasure.asked_at), confirmed_at=None)
    )
    save(connection, [(erased(call, erasure), erasure.asked_at)])
    connection.execute(calls.update().where(calls.c.id == call.id).values(said="", response_ms=None, interrupted=None, barged_in=None))
    for table in (transcripts, measures, notes, labels, alerts):
        connection.execute(table.delete().where(table.c.call_id == call.id))
    outbox.erase(connection, call.id, erasure)
    left = get(connection, call.id) or call
    _clear_dials(connection, left)
    audit.note(connection, [note])
    return left


def pending(connection: sa.Connection) -> list[tuple[str, Erasure]]:
    """The ids of calls whose deletion Vapi has not confirmed, oldest first."""
    rows = connection.execute(_PENDING_ONES)
    return [(row.call_id, Erasure(asked_at=time_of(row.asked_at), by=row.who)) for row in rows]


def older(connection: sa.Connection, before: datetime, after: tuple[int, str], limit: int) -> list[tuple[int, str]]:
    """Ended calls older than `before` whose data is not deleted, oldest first: their times and ids. `after` is the last one of the page
    before."""
    kept = sa.select(calls.c.created_at, calls.c.id).where(
        calls.c.status == CallStatus.ENDED.value,
        calls.c.created_at <= milliseconds(before),
        sa.tuple_(calls.c.created_at, calls.c.id) > sa.tuple_(*after),
        ~sa.exists().where(erasures.c.call_id == calls.c.id),
    )
    return [(row.created_at, row.id) for row in connection.execute(kept.order_by(calls.c.created_at, calls.c.id).limit(limit))]


def confirm(connection: sa.Connection, call_id: str, at: datetime, note: AuditRow) -> Call | None:
    """Vapi has deleted the call's data. Returns the call."""
    of = erasures.update().where(erasures.c.call_id == call_id, _PENDING)
    if connection.execute(of.values(confirmed_at=milliseconds(at))).rowcount:
        audit.note(connection, [note])
        call = get(connection, call_id)
        if call and call.erasure:
            save(connection, [(replace(call, erasure=replace(call.erasure, confirmed_at=at)), at)])
    return get(connection, call_id)


def among(connection: sa.Connection, call_ids: Collection[str]) -> set[str]:
    """Those of these calls whose data was deleted."""
    return set(connection.execute(sa.select(erasures.c.call_id).where(erasures.c.call_id.in_(call_ids))).scalars()) if call_ids else set()


def _clear_dials(connection: sa.Connection, call: Call) -> None:
    """Clears the orders of what was to be said, and to whom. The number and the idempotency key stay, so that nothing is dialled twice."""
    of_call = dials.c.call_id == call.id
    rows = connection.execute(sa.select(dials).where(of_call | (dials.c.tag == call.tag) if call.tag else of_call)).all()
    for row in rows:
        asked = load_order(row.asked)
        order = CallOrder(**{name: getattr(asked, name) for name in _LEFT_OF_ORDER})
        values = {"asked": dump(order), "first_call": dump(call) if row.first_call else None}
        connection.execute(dials.update().where(dials.c.tag == row.tag).values(values))
