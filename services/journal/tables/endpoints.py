"""Endpoints, which process sends to which of them, and what came of their events."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from services.domain.alert import load as load_alert
from services.journal.database.clock import shared_ms
from services.journal.database.codec import load_call, milliseconds, time_of
from services.journal.database.schema import endpoints, outbox
from services.journal.records import AuditRow, Delivery, DeliveryState, Endpoint, EventKind
from services.journal.tables import audit
from services.journal.tables.turns import NO_TURN_MS, WAITING, line_up

MOST = 20
"""Endpoints. Each multiplies what is written for each event."""

_STALE_MS = 10_000  # the holder renews its lease every 2 s
_ACTIVE = endpoints.c.disabled_at.is_(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of sending an event. `again_ms`: when to try again, in milliseconds from now; None: never."""

    delivery_id: int
    endpoint: str
    state: DeliveryState
    status: int | None = None
    problem: str = ""
    again_ms: int | None = None
    gone: bool = False


def add(connection: sa.Connection, endpoint: Endpoint, row: AuditRow) -> bool:
    """Adds an endpoint, with `row` in the audit. False if there are too many."""
    if connection.execute(sa.select(sa.func.count()).select_from(endpoints)).scalar_one() >= MOST:
        return False
    values = {"id": endpoint.id, "url": endpoint.url, "secret": endpoint.secret, "kinds": " ".join(endpoint.kinds)}
    made = {"made_at": milliseconds(endpoint.made_at), "made_by": endpoint.made_by}
    connection.execute(endpoints.insert().values(**values, **made, disabled_at=None, holder="", renewed_at=0))
    audit.note(connection, [row])
    return True


def remove(connection: sa.Connection, endpoint_id: str, row: AuditRow) -> bool:
    """Deletes an endpoint with its events, with `row` in the audit. False if there is none with this id."""
    if not connection.execute(endpoints.delete().where(endpoints.c.id == endpoint_id)).rowcount:
        return False
    connection.execute(outbox.delete().where(outbox.c.endpoint == endpoint_id))
    audit.note(connection, [row])
    return True


def enable(connection: sa.Connection, endpoint_id: str, row: AuditRow) -> bool:
    """Has a disabled endpoint get events again, with `row` in the audit. False if there is none with this id."""
    found = connection.execute(sa.select(endpoints.c.disabled_at).where(endpoints.c.id == endpoint_id)).one_or_none()
    if found and found.disabled_at is not None:
        connection.execute(endpoints.update().where(endpoints.c.id == endpoint_id).values(disabled_at=None))
        again = {"since": (now := shared_ms(connection)), "next_at": now, "attempts": 0}
        connection.execute(outbox.update().where(outbox.c.endpoint == endpoint_id, WAITING, outbox.c.next_at != NO_TURN_MS).values(again))
        audit.note(connection, [row])
    return found is not None


def disable(connection: sa.Connection, endpoint_id: str, row: AuditRow) -> bool:
    """Has an endpoint get no more events until it is enabled, with `row` in the audit. False if there is none with this id."""
    found = connection.execute(sa.select(endpoints.c.disabled_at).where(endpoints.c.id == endpoint_id)).one_or_none()
    if found and found.disabled_at is None:
        connection.execute(endpoints.update().where(endpoints.c.id == endpoint_id).values(disabled_at=shared_ms(connection)))
        audit.note(connection, [row])
    return found is not None


def choose(connection: sa.Connection, endpoint_id: str, kinds: Sequence[EventKind], row: AuditRow) -> bool:
    """Has an endpoint get events of these kinds from now on, with `row` in the audit. False if there is none with this id."""
    chosen = endpoints.update().where(endpoints.c.id == endpoint_id).values(kinds=" ".join(kinds))
    if not connection.execute(chosen).rowcount:
        return False
    audit.note(connection, [row])
    return True


def every(connection: sa.Connection) -> list[Endpoint]:
    """All endpoints, oldest first."""
    events = [sa.func.count().label("events"), sa.func.min(outbox.c.id).label("oldest")]
    counts = {
        row.endpoint: row for row in connection.execute(sa.select(outbox.c.endpoint, *events).where(WAITING).group_by(outbox.c.endpoint))
    }
    since = dict(
        connection.execute(sa.select(outbox.c.id, outbox.c.at).where(outbox.c.id.in_([row.oldest for row in counts.values()]))).all()
    )
    rows = connection.execute(sa.select(endpoints).order_by(endpoints.c.made_at, endpoints.c.id))
    return [
        _endpoint(row, waiting=found.events, since_ms=since[found.oldest]) if (found := counts.get(row.id)) else _endpoint(row)
        for row in rows
    ]


def due(connection: sa.Connection, instance: str) -> list[str]:
    """The endpoints that have events to be sent now, and that no other process sends to."""
    now = shared_ms(connection)
    free = (endpoints.c.holder.in_(["", instance])) | (endpoints.c.renewed_at <= now - _STALE_MS)
    found = connection.execute(sa.select(endpoints.c.id).where(_ACTIVE, free)).scalars().all()
    return [endpoint_id for endpoint_id in found if connection.execute(_ready(endpoint_id, now, 1)).first()]


def hold(connection: sa.Connection, endpoint_id: str, instance: str) -> bool:
    """Takes or renews the lease of an endpoint. False if another process has it, or if it gets no events."""
    now = shared_ms(connection)
    free = (endpoints.c.holder.in_(["", instance])) | (endpoints.c.renewed_at <= now - _STALE_MS)
    taken = endpoints.update().where(endpoints.c.id == endpoint_id, _ACTIVE, free).values(holder=instance, renewed_at=now)
    return bool(connection.execute(taken).rowcount)


def release(connection: sa.Connection, endpoint_id: str, instance: str) -> None:
    mine = (endpoints.c.id == endpoint_id) & (endpoints.c.holder == instance)
    connection.execute(endpoints.update().where(mine).values(holder=""))


def next_events(connection: sa.Connection, endpoint_id: str, instance: str, most: int) -> tuple[Endpoint | None, list[Delivery]]:
    """An endpoint that this process holds, and its events that may be sent now: of each call the oldest one that waits."""
    mine = (endpoints.c.id == endpoint_id) & (endpoints.c.holder == instance) & _ACTIVE
    row = connection.execute(sa.select(endpoints).where(mine)).one_or_none()
    if row is None:
        return None, []
    return _endpoint(row), [_delivery(event) for event in connection.execute(_ready(endpoint_id, shared_ms(connection), most))]


def _ready(endpoint_id: str, now_ms: int, most: int) -> sa.Select[Any]:
    """The events of an endpoint that may be sent now: of each call the oldest one that waits, unless its time has not come."""
    due = sa.select(outbox).where(outbox.c.endpoint == endpoint_id, WAITING, outbox.c.next_at <= now_ms)
    return due.order_by(outbox.c.next_at, outbox.c.id).limit(most)


def settle(connection: sa.Connection, attempt: Attempt, instance: str) -> None:
    """Writes down what came of an attempt, unless another process has taken over the endpoint or somebody deleted it."""
    held = sa.select(endpoints.c.id).where(endpoints.c.id == attempt.endpoint, endpoints.c.holder == instance)
    now = shared_ms(connection)
    values = {
        "state": attempt.state.value,
        "attempts": outbox.c.attempts + 1,
        "next_at": now + (attempt.again_ms or 0),
        "status": attempt.status,
        "problem": attempt.problem,
    }
    this = outbox.c.id == attempt.delivery_id
    if connection.execute(outbox.update().where(this, outbox.c.endpoint.in_(held)).values(values)).rowcount:
        line_up(connection, connection.execute(sa.select(outbox.c.call_id).where(this)).scalars().all())
    if attempt.gone:
        connection.execute(endpoints.update().where(endpoints.c.id.in_(held), _ACTIVE).values(disabled_at=now))


def deliveries(connection: sa.Connection, endpoint_id: str, limit: int) -> list[Delivery]:
    """The newest events of an endpoint first."""
    query = sa.select(outbox).where(outbox.c.endpoint == endpoint_id).order_by(outbox.c.id.desc()).limit(limit)
    return [_delivery(row) for row in connection.execute(query)]


def again(connection: sa.Connection, endpoint_id: str, delivery_id: int, row: AuditRow) -> Delivery | None:
    """Has an event sent again, with `row` in the audit. Returns it; None if there is no such one."""
    now = shared_ms(connection)
    values = {"state": DeliveryState.WAITING.value, "since": now, "next_at": now, "attempts": 0}
    this = (outbox.c.id == delivery_id) & (outbox.c.endpoint == endpoint_id)
    if not connection.execute(outbox.update().where(this).values(values)).rowcount:
        return None
    audit.note(connection, [row])
    sent = connection.execute(sa.select(outbox).where(this)).one()
    line_up(connection, [sent.call_id])
    return _delivery(connection.execute(sa.select(outbox).where(this)).one())


def _endpoint(row: sa.Row[Any], *, waiting: int = 0, since_ms: int | None = None) -> Endpoint:
    return Endpoint(
        id=row.id,
        url=row.url,
        secret=row.secret,
        kinds=tuple(EventKind(kind) for kind in row.kinds.split()),
        made_at=time_of(row.made_at),
        made_by=row.made_by,
        disabled_at=None if row.disabled_at is None else time_of(row.disabled_at),
        waiting=waiting,
        waiting_since=None if since_ms is None else time_of(since_ms),
    )


def _delivery(row: sa.Row[Any]) -> Delivery:
    kind = EventKind(row.kind)
    return Delivery(
        id=row.id,
        endpoint=row.endpoint,
        kind=kind,
        call_id=row.call_id,
        at=time_of(row.at),
        call=load_call(row.data) if row.data and kind not in (EventKind.RECORDING, EventKind.ALERT) else None,
        alert=load_alert(row.call_id, row.data) if kind is EventKind.ALERT else None,
        state=DeliveryState(row.state),
        since=time_of(row.since),
        attempts=row.attempts,
        next_at=None if row.next_at == NO_TURN_MS else time_of(row.next_at),
        status=row.status,
        problem=row.problem,
    )
