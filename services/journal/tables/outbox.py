"""The outbox: events for webhooks, written in the transaction of what they are about, so that none is lost and none is untrue."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from services.domain.alert import Alert
from services.domain.alert import dump as dump_alert
from services.domain.call import Call, CallStatus, Erasure, erased
from services.domain.rule import Effect
from services.journal.database.clock import shared_ms
from services.journal.database.codec import dump, load_call
from services.journal.database.schema import calls, endpoints, measures, outbox
from services.journal.records import DeliveryState, EventKind
from services.journal.tables.turns import NO_TURN_MS, line_up

_KNOWN_LATER = ("cost", "costs", "summary", "analysis", "ended_reason")
"""What Vapi may say of a call only after its end."""

_ENDPOINTS = sa.select(endpoints.c.id, endpoints.c.kinds, endpoints.c.disabled_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`data` is the call as it is then, or what tells this event from others of its kind. With `once`, it happens only once."""

    kind: EventKind
    call_id: str
    data: str = ""
    once: bool = False


def calls_changed(connection: sa.Connection, before: Mapping[str, Call], now: Mapping[str, Call]) -> None:
    """Announces what is new of calls, given as stored before and now. A call that was found takes the place of the unknown one."""
    if not (known := connection.execute(_ENDPOINTS).all()):
        return
    unknown = {call.tag: id_ for id_, call in before.items() if call.tag and call.status is CallStatus.UNKNOWN and id_ not in now}
    events: list[Event] = []
    for id_, call in now.items():
        old = before.get(id_)
        if old is None and call.tag and (earlier := unknown.get(call.tag)):
            old = before[earlier]
            # The events that wait for the same call's sake have to come first.
            connection.execute(outbox.update().where(outbox.c.call_id == earlier).values(call_id=id_))
            line_up(connection, [id_])
        events += [Event(kind=kind, call_id=id_, data=dump(call)) for kind in _kinds(old, call)]
    ended = [event.call_id for event in events if event.kind is EventKind.ENDED]
    measured_ones = sa.select(measures.c.call_id).where(measures.c.call_id.in_(ended), measures.c.data != "")
    events += [Event(kind=EventKind.MEASURES, call_id=id_) for id_ in (connection.execute(measured_ones).scalars() if ended else ())]
    _announce(connection, events, known)


def _kinds(old: Call | None, call: Call) -> list[EventKind]:
    if old is None:
        return [EventKind.CREATED] if call.running else [EventKind.CREATED, EventKind.ENDED]
    if call.erasure and not old.erasure:
        return [EventKind.ERASED]
    if call.status is not old.status:
        return [EventKind.STATUS if call.running else EventKind.ENDED]
    known_later = not call.running and any(getattr(call, name) != getattr(old, name) for name in _KNOWN_LATER)
    return [EventKind.UPDATED] if known_later else []


def transcript_written(connection: sa.Connection, call_id: str) -> None:
    _announce(connection, [Event(kind=EventKind.TRANSCRIPT, call_id=call_id)], connection.execute(_ENDPOINTS).all())


def measured(connection: sa.Connection, call_id: str, *, over: bool) -> None:
    """Adds the event for new figures of a conversation: `call.measures.live`, or `call.measures` if they are `over` and the call has ended.

    Figures that are `over` before the call has ended add none: its end does. While such an event waits, none is added, since the one
    that waits is sent with the latest figures.
    """
    if not (known := connection.execute(_ENDPOINTS).all()):
        return
    ended = sa.select(calls.c.id).where(calls.c.id == call_id, calls.c.status == CallStatus.ENDED.value)
    if over and connection.execute(ended).first() is None:
        return
    kind = EventKind.MEASURES if over else EventKind.MEASURES_LIVE
    same = (outbox.c.call_id == call_id) & (outbox.c.kind == kind.value) & (outbox.c.state == DeliveryState.WAITING.value)
    waiting = set(connection.execute(sa.select(outbox.c.endpoint).where(same)).scalars())
    _announce(connection, [Event(kind=kind, call_id=call_id)], [endpoint for endpoint in known if endpoint.id not in waiting])


def recording_finished(connection: sa.Connection, call_id: str, began_ms: int) -> None:
    """A part of a recording, which began then, is finished. It is reported again once it is stored."""
    event = Event(kind=EventKind.RECORDING, call_id=call_id, data=json.dumps({"began_ms": began_ms}), once=True)
    _announce(connection, [event], connection.execute(_ENDPOINTS).all())


def alerts_raised(connection: sa.Connection, alerts: Sequence[Alert]) -> None:
    """Adds the events of alerts whose rules have the effect `webhook`."""
    events = [
        Event(kind=EventKind.ALERT, call_id=alert.call_id, data=dump_alert(alert))
        for alert in alerts
        if Effect.WEBHOOK in alert.rule.effects
    ]
    if events:
        _announce(connection, events, connection.execute(_ENDPOINTS).all())


def _announce(connection: sa.Connection, events: Sequence[Event], known: Sequence[sa.Row[Any, Any, Any]]) -> None:
    """Writes events down for each of these endpoints that gets them."""
    receivers = [endpoint for endpoint in known if endpoint.disabled_at is None]
    if not (events and receivers):
        return
    now = shared_ms(connection)
    rows = [
        {
            "endpoint": receiver.id,
            "call_id": event.call_id,
            "kind": event.kind.value,
            "at": now,
            "data": event.data,
            "state": DeliveryState.WAITING.value,
            "since": now,
            "attempts": 0,
            "next_at": NO_TURN_MS,
            "status": None,
            "problem": "",
        }
        for event in events
        if not (event.once and _happened(connection, event))
        for receiver in receivers
        if _wants(receiver.kinds.split(), event.kind)
    ]
    if rows:
        connection.execute(outbox.insert(), rows)
        line_up(connection, {event.call_id for event in events})


def _wants(kinds: Sequence[str], kind: EventKind) -> bool:
    return kind in kinds if kinds or kind is EventKind.MEASURES_LIVE else True


def erase(connection: sa.Connection, call_id: str, erasure: Erasure) -> None:
    """Strips a call's events to what `erased` leaves of the call, and deletes those of its alerts."""
    if connection.execute(outbox.delete().where(outbox.c.call_id == call_id, outbox.c.kind == EventKind.ALERT.value)).rowcount:
        line_up(connection, [call_id])
    rows = connection.execute(sa.select(outbox.c.id, outbox.c.data, outbox.c.kind).where(outbox.c.call_id == call_id, outbox.c.data != ""))
    for row in rows.all():
        if row.kind != EventKind.RECORDING:
            left = dump(erased(load_call(row.data), erasure))
            connection.execute(outbox.update().where(outbox.c.id == row.id).values(data=left))


def _happened(connection: sa.Connection, event: Event) -> bool:
    same = (outbox.c.call_id == event.call_id) & (outbox.c.kind == event.kind.value) & (outbox.c.data == event.data)
    return connection.execute(sa.select(outbox.c.id).where(same).limit(1)).first() is not None
