"""Alerts: which rules applied to which calls, one row for each rule and call."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from services.domain.alert import MOST_ALERTS, Alert, dump, load, without_quote
from services.domain.rule import ANY_RULE
from services.journal.database.codec import milliseconds, storable
from services.journal.database.revisions import raised
from services.journal.database.schema import alerts, calls
from services.journal.database.schema import outbox as outbox_table
from services.journal.records import EventKind
from services.journal.tables import erasures, outbox


def add(connection: sa.Connection, wanted: Sequence[Alert]) -> None:
    """Adds those that a call does not have yet, and announces them. A call whose data was deleted gets none."""
    call_ids = {alert.call_id for alert in wanted}
    gone = erasures.among(connection, call_ids)
    known = {(row.call_id, row.rule) for row in connection.execute(sa.select(alerts).where(alerts.c.call_id.in_(call_ids)))}
    counts = Counter(call_id for call_id, _ in known)
    new = []
    for alert in wanted:
        if alert.call_id in gone or alert.key in known or counts[alert.call_id] >= MOST_ALERTS:
            continue
        known.add(alert.key)
        counts[alert.call_id] += 1
        new.append(alert)
    if not new:
        return
    revision = raised(connection)
    rows = [
        {
            "call_id": alert.call_id,
            "rule": alert.rule.id,
            "at": milliseconds(alert.at),
            "data": storable(dump(alert)),
            "revision": revision,
        }
        for alert in new
    ]
    connection.execute(alerts.insert(), rows)
    outbox.alerts_raised(connection, new)


def among(connection: sa.Connection, call_ids: Collection[str]) -> dict[str, list[Alert]]:
    """The alerts of those of these calls that have any, oldest first."""
    found: dict[str, list[Alert]] = {}
    for alert in _read(connection.execute(sa.select(alerts).where(alerts.c.call_id.in_(call_ids)).order_by(alerts.c.at, alerts.c.rule))):
        found.setdefault(alert.call_id, []).append(alert)
    return found


def given_by(rules: Collection[str]) -> sa.ColumnElement[bool]:
    """The condition that a call has an alert of one of these rules, or of any rule with ANY_RULE."""
    given = sa.select(alerts.c.call_id)
    return calls.c.id.in_(given if ANY_RULE in rules else given.where(alerts.c.rule.in_(rules)))


def written_since(connection: sa.Connection, revision: int) -> list[Alert]:
    return list(_read(connection.execute(sa.select(alerts).where(alerts.c.revision > revision).order_by(alerts.c.at))))


def unquote(connection: sa.Connection, call_ids: Collection[str]) -> None:
    """Deletes what was said from the alerts of these calls, and from the events that report them."""
    events = outbox_table.c.kind == EventKind.ALERT.value
    for table, where in ((alerts, sa.true()), (outbox_table, events)):
        rows = connection.execute(sa.select(table.c.call_id, table.c.data).where(table.c.call_id.in_(call_ids), where)).all()
        for row in rows:
            if (bare := without_quote(row.data)) != row.data:
                same = (table.c.call_id == row.call_id) & (table.c.data == row.data)
                connection.execute(table.update().where(same, where).values(data=storable(bare)))


def _read(rows: Iterable[sa.Row[Any]]) -> Iterable[Alert]:
    """Without those of rules that only a newer version knows."""
    return (alert for row in rows if (alert := load(row.call_id, row.data)))
