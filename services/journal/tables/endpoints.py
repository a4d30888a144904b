"""Endpoints, which process sends to which of them, and what came of their events."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from services.journal.database.clock import shared_ms
from services.journal.database.codec import load_call, milliseconds, time_of
from services.journal.database.schema import endpoints, outbox
from services.journal.records import AuditRow, Delivery, DeliveryState, Endpoint, EventKind
from services.journal.tables import audit

MOST = 20
"""Endpoints. Each multiplies what is written for each event."""

_STALE_MS = 10_000  # the holder renews its lease every 2 s
# Literal text, so that the partial index with the same text is used.
_WAITING = sa.text("earshot_outbox.state = 'waiting'")
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
        connection.execute(outbox.update().where(outbox.c.endpoint == endpoint_id, _WAITING).values(again))
        audit.note(connection, [row])
    return found is not None


def every(connection: sa.Connection) -> list[Endpoint]:
    """All endpoints, oldest first."""
    waiting = sa.select(outbox.c.endpoint, sa.func.count().label("events")).where(_WAITING).group_by(outbox.c.endpoint)
    counts = {row.endpoint: row.events for row in connection.execute(waiting)}
    rows = connection.execute(sa.select(endpoints).order_by(endpoints.c.made_at, endpoints.c.id))
    return [_endpoint(row, waiting=counts.get(row.id, 0)) for row in rows]


def due(connection: sa.Connection, instance: str) -> list[str]:
    """The endpoints that have events to be sent now, and that no other process sends to."""
    now = shared_ms(connection)
    free = (endpoints.c.holder.in_(["", instance])) | (endpoints.c.renewed_at <= now - _STALE_MS)
    found = connection.execute(sa.select(endpoints.c.id).where(_ACTIVE, free)).scalars().all()
    return [endpoint_id for endpoint_id in found if connection.execute(_ready(endpoint_id, now).limit(1)).first()]


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
    ready = _ready(endpoint_id, shared_ms(connection)).order_by(outbox.c.id).limit(most)
    return _endpoint(row), [_delivery(event) for event in connection.execute(ready)]


def _ready(endpoint_id: str, now_ms: int) -> sa.Select[Any]:
    """The events of an endpoint that may be sent now: of each call the oldest one that waits, unless its time has not come."""
    first = sa.select(sa.func.min(outbox.c.id)).where(outbox.c.endpoint == endpoint_id, _WAITING).group_by(outbox.c.call_id)
    return sa.select(outbox).where(outbox.c.id.in_(first), outbox.c.next_at <= now_ms)


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
    connection.execute(outbox.update().where(outbox.c.id == attempt.delivery_id, outbox.c.endpoint.in_(held)).values(values))
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
    return _delivery(connection.execute(sa.select(outbox).where(this)).one())


def _endpoint(row: sa.Row[Any], *, waiting: int = 0) -> Endpoint:
    return Endpoint(
        id=row.id,
        url=row.url,
        secret=row.secret,
        kinds=tuple(EventKind(kind) for kind in row.kinds.split()),
        made_at=time_of(row.made_at),
        made_by=row.made_by,
        disabled_at=None if row.disabled_at is None else time_of(row.disabled_at),
        waiting=waiting,
    )


def _delivery(row: sa.Row[Any]) -> Delivery:
    kind = EventKind(row.kind)
    return Delivery(
        id=row.id,
        endpoint=row.endpoint,
        kind=kind,
        call_id=row.call_id,
        at=time_of(row.at),
        call=load_call(row.data) if row.data and kind is not EventKind.RECORDING else None,
        state=DeliveryState(row.state),
        since=time_of(row.since),
        attempts=row.attempts,
        next_at=time_of(row.next_at),
        status=row.status,
        problem=row.problem,
    )
