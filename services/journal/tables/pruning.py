"""Deletes what the journal no longer needs: found beside the writing, deleted in batches that let dials pass."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from services.journal.database.codec import milliseconds
from services.journal.database.schema import (
    alerts,
    audit,
    calls,
    dials,
    erasures,
    labels,
    measures,
    notes,
    outbox,
    recordings,
    sessions,
    transcripts,
)

KEPT = timedelta(days=400)
"""For calls, their transcripts, measures, notes, tags, alerts and dials, and the audit, so that a bill can be checked a year later."""

REFUSED_KEPT = timedelta(days=7)
"""For dials that placed nothing and count for no limit. Their audit rows are kept for `KEPT`."""

SESSIONS_KEPT = timedelta(days=8)
"""A session lasts 7 days at most."""

EVENTS_KEPT = timedelta(days=30)
"""For events that went to webhooks, or failed to: so long may they be sent again."""

NOT_PRUNED = {
    "earshot_endpoints": "one row per webhook, until somebody deletes it",
    "earshot_instances": "one row per process, deleted when the process leaves or has been silent for long",
    "earshot_revision": "a single row: the number of the latest change",
    "earshot_states": "one row per state of the installation",
    "earshot_schema": "a single row: the version of the schema",
}
"""Tables that are not pruned here, and why. A test requires every table to be named here or have a rule."""

_OF_CALLS = (transcripts, measures, notes, labels, alerts)

_BATCH = 500  # rows; deleting them takes a few milliseconds

_SETTLED = sa.text("state NOT IN ('dialling', 'unknown')")

Outdated = list[tuple[sa.TableClause, sa.ColumnElement[bool]]]


def _rules(now: datetime) -> list[tuple[sa.TableClause, sa.ColumnClause[Any], sa.ColumnElement[bool]]]:
    """Each pruned table, its key, and which rows are outdated. Open dials never are."""
    kept_since, refused_since = milliseconds(now - KEPT), milliseconds(now - REFUSED_KEPT)
    kept = (recordings.c.recorder != "") | (recordings.c.stored == 1) | (recordings.c.swept == 0)
    refused = (dials.c.state == "refused") & (dials.c.dialled_at <= refused_since)
    return [
        (dials, dials.c.tag, _SETTLED & ((dials.c.dialled_at <= kept_since) | refused)),
        (calls, calls.c.id, calls.c.created_at <= kept_since),
        *((table, table.c.call_id, ~sa.exists().where(calls.c.id == table.c.call_id)) for table in _OF_CALLS),
        (audit, audit.c.id, audit.c.at <= kept_since),
        (erasures, erasures.c.call_id, erasures.c.confirmed_at <= kept_since),
        (recordings, recordings.c.call_id, ~kept & (recordings.c.renewed_at <= kept_since)),
        (outbox, outbox.c.id, outbox.c.at <= milliseconds(now - EVENTS_KEPT)),
        (sessions, sessions.c.key, sessions.c.begun_at <= milliseconds(now - SESSIONS_KEPT)),
    ]


def pruned_tables(now: datetime) -> set[str]:
    """The names of the tables that have a rule."""
    return {table.name for table, _, _ in _rules(now)}


def outdated(connection: sa.Connection, now: datetime) -> Outdated:
    """The next batch of outdated rows: tables, and which of their rows. A row that is needed again by the time it is deleted stays."""
    found = [
        (table, old, key, list(connection.execute(sa.select(key).where(old).limit(_BATCH)).scalars())) for table, key, old in _rules(now)
    ]
    return [(table, old & key.in_(values)) for table, old, key, values in found if values]


def delete(connection: sa.Connection, table: sa.TableClause, rows: sa.ColumnElement[bool]) -> None:
    connection.execute(table.delete().where(rows))
