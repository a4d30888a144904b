"""Migrates any older schema to the current one, in numbered steps, within the transaction that opens the journal."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from services.domain.errors import JournalError
from services.journal.database.counted import COUNTED
from services.journal.database.measured import MEASURED
from services.journal.database.schema import schema_version
from services.journal.database.search_index import INDEX, SHORT_WORDS, SHORTEST_WORDS

Step = tuple[str | Mapping[str, Sequence[str]], ...]
"""SQL statements, some for one database alone. Placeholders stand for what the databases write differently: `{id}` is text in byte order,
`{serial}` an automatically increasing number, `{ended_reason}` the field of that name in a call's JSON, `{earliest_at}` that of an order's
JSON in milliseconds since 1970."""

STEPS: tuple[Step, ...] = (
    (
        "CREATE TABLE earshot_dials (tag TEXT PRIMARY KEY, client TEXT NOT NULL, to_number TEXT NOT NULL, asked TEXT NOT NULL,"
        " state TEXT NOT NULL, instance TEXT NOT NULL, dialled_at BIGINT NOT NULL, call_id TEXT, key TEXT, fingerprint TEXT,"
        " answer_status INTEGER, answer_body TEXT)",
        "CREATE UNIQUE INDEX earshot_dials_key ON earshot_dials (key, client)",
        "CREATE INDEX earshot_dials_counted ON earshot_dials (dialled_at) WHERE state <> 'refused'",
        "CREATE INDEX earshot_dials_keyed ON earshot_dials (dialled_at) WHERE key IS NOT NULL",
        "CREATE INDEX earshot_dials_recent ON earshot_dials (to_number, dialled_at)",
        "CREATE INDEX earshot_dials_unsettled ON earshot_dials (dialled_at) WHERE state IN ('dialling', 'unknown')",
        "CREATE TABLE earshot_calls (id {id} PRIMARY KEY, tag TEXT, status TEXT NOT NULL, created_at BIGINT NOT NULL,"
        " words TEXT NOT NULL, data TEXT NOT NULL)",
        "CREATE INDEX earshot_calls_newest ON earshot_calls (created_at, id)",
        "CREATE INDEX earshot_calls_status ON earshot_calls (status, created_at, id)",
        "CREATE INDEX earshot_calls_tag ON earshot_calls (tag)",
        "CREATE TABLE earshot_audit (id {serial}, at BIGINT NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL, call_id TEXT,"
        " to_number TEXT, outcome TEXT NOT NULL, detail TEXT NOT NULL)",
        "CREATE INDEX earshot_audit_call ON earshot_audit (call_id, id)",
        "CREATE TABLE earshot_instances (id TEXT PRIMARY KEY, seen_at BIGINT NOT NULL)",
    ),
    (
        "ALTER TABLE earshot_calls ADD COLUMN ended_reason TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE earshot_calls ADD COLUMN said TEXT NOT NULL DEFAULT ''",
        "UPDATE earshot_calls SET ended_reason = COALESCE({ended_reason}, '') WHERE status = 'ended'",
        "CREATE INDEX earshot_calls_ended ON earshot_calls (ended_reason, created_at, id)",
        "CREATE TABLE earshot_transcripts (call_id TEXT PRIMARY KEY, lines TEXT NOT NULL)",
    ),
    # A key that an older Earshot answered is answered from its call as last read.
    (
        "ALTER TABLE earshot_dials ADD COLUMN first_call TEXT",
        "UPDATE earshot_dials SET first_call = (SELECT data FROM earshot_calls WHERE earshot_calls.id = earshot_dials.call_id)"
        " WHERE answer_status IS NOT NULL AND key IS NOT NULL",
        "ALTER TABLE earshot_dials DROP COLUMN answer_status",
        "ALTER TABLE earshot_dials DROP COLUMN answer_body",
    ),
    ("ALTER TABLE earshot_audit ADD COLUMN words TEXT NOT NULL DEFAULT ''",),
    (
        "CREATE TABLE earshot_revision (number BIGINT NOT NULL)",
        "INSERT INTO earshot_revision (number) VALUES (0)",
        "ALTER TABLE earshot_calls ADD COLUMN revision BIGINT NOT NULL DEFAULT 0",
        "CREATE INDEX earshot_calls_revision ON earshot_calls (revision) WHERE revision > 0",
    ),
    # 46,800,000 ms are 13 hours: no call can last longer.
    (
        "ALTER TABLE earshot_dials ADD COLUMN slot_from BIGINT",
        "ALTER TABLE earshot_dials ADD COLUMN slot_until BIGINT",
        "ALTER TABLE earshot_dials ADD COLUMN hang_up_by TEXT",
        "UPDATE earshot_dials SET slot_from = CASE WHEN {earliest_at} > dialled_at THEN {earliest_at} ELSE dialled_at END",
        "UPDATE earshot_dials SET slot_until = slot_from + 46800000 WHERE state IN ('dialling', 'unknown') OR (state = 'placed' AND EXISTS"
        " (SELECT 1 FROM earshot_calls WHERE earshot_calls.tag = earshot_dials.tag AND status NOT IN ('unknown', 'ended')))",
        "CREATE INDEX earshot_dials_slots ON earshot_dials (slot_until) WHERE slot_until IS NOT NULL",
        "CREATE INDEX earshot_dials_hang_up ON earshot_dials (dialled_at) WHERE hang_up_by IS NOT NULL",
    ),
    (INDEX,),
    ("CREATE TABLE earshot_states (name TEXT PRIMARY KEY, value TEXT NOT NULL, revision BIGINT NOT NULL)",),
    (
        "CREATE TABLE earshot_sessions (key TEXT PRIMARY KEY, begun_at BIGINT NOT NULL, used_at BIGINT NOT NULL, ended INTEGER NOT NULL,"
        " revision BIGINT NOT NULL)",
        "CREATE INDEX earshot_sessions_revision ON earshot_sessions (revision)",
    ),
    ("CREATE TABLE earshot_leases (call_id TEXT PRIMARY KEY, instance TEXT NOT NULL, renewed_at BIGINT NOT NULL)",),
    (
        "CREATE TABLE earshot_recordings (call_id TEXT PRIMARY KEY, recorder TEXT NOT NULL, renewed_at BIGINT NOT NULL,"
        " heard_from BIGINT NOT NULL, switched_off INTEGER NOT NULL, stored INTEGER NOT NULL, deleted_at BIGINT NOT NULL,"
        " swept INTEGER NOT NULL, revision BIGINT NOT NULL)",
        "CREATE INDEX earshot_recordings_revision ON earshot_recordings (revision)",
        "CREATE INDEX earshot_recordings_held ON earshot_recordings (renewed_at) WHERE recorder <> ''",
        "INSERT INTO earshot_recordings SELECT call_id, instance, renewed_at, 0, 0, 0, 0, 1, 0 FROM earshot_leases",
        "DROP TABLE earshot_leases",
    ),
    (
        "CREATE TABLE earshot_erasures (call_id TEXT PRIMARY KEY, who TEXT NOT NULL, asked_at BIGINT NOT NULL, confirmed_at BIGINT)",
        "CREATE INDEX earshot_erasures_pending ON earshot_erasures (asked_at) WHERE confirmed_at IS NULL",
    ),
    (SHORT_WORDS,),
    (
        "CREATE TABLE earshot_notes (id {serial}, call_id TEXT NOT NULL, at BIGINT NOT NULL, who TEXT NOT NULL, moment BIGINT,"
        " text TEXT NOT NULL)",
        "CREATE INDEX earshot_notes_call ON earshot_notes (call_id, id)",
        "CREATE TABLE earshot_labels (call_id TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, who TEXT NOT NULL,"
        " at BIGINT NOT NULL, PRIMARY KEY (call_id, kind, text))",
        "CREATE INDEX earshot_labels_text ON earshot_labels (kind, text)",
    ),
    COUNTED,
    ("CREATE TABLE earshot_measures (call_id TEXT PRIMARY KEY, measurer TEXT NOT NULL, data TEXT NOT NULL, brief TEXT NOT NULL)",),
    (
        "CREATE TABLE earshot_endpoints (id TEXT PRIMARY KEY, url TEXT NOT NULL, secret TEXT NOT NULL, kinds TEXT NOT NULL,"
        " made_at BIGINT NOT NULL, made_by TEXT NOT NULL, disabled_at BIGINT, holder TEXT NOT NULL, renewed_at BIGINT NOT NULL)",
        "CREATE TABLE earshot_outbox (id {serial}, endpoint TEXT NOT NULL, call_id TEXT NOT NULL, kind TEXT NOT NULL, at BIGINT NOT NULL,"
        " data TEXT NOT NULL, state TEXT NOT NULL, since BIGINT NOT NULL, attempts INTEGER NOT NULL, next_at BIGINT NOT NULL,"
        " status INTEGER, problem TEXT NOT NULL)",
        "CREATE INDEX earshot_outbox_waiting ON earshot_outbox (endpoint, call_id, id) WHERE state = 'waiting'",
        "CREATE INDEX earshot_outbox_call ON earshot_outbox (call_id)",
        "CREATE INDEX earshot_outbox_newest ON earshot_outbox (endpoint, id)",
        "CREATE INDEX earshot_outbox_at ON earshot_outbox (at)",
    ),
    (SHORTEST_WORDS,),
    # 9007199254740992: it waits for an earlier event of its call.
    (
        "UPDATE earshot_outbox SET next_at = 9007199254740992 WHERE state = 'waiting' AND EXISTS (SELECT 1 FROM earshot_outbox AS earlier"
        " WHERE earlier.endpoint = earshot_outbox.endpoint AND earlier.call_id = earshot_outbox.call_id AND earlier.state = 'waiting'"
        " AND earlier.id < earshot_outbox.id)",
        "CREATE INDEX earshot_outbox_due ON earshot_outbox (endpoint, next_at, id) WHERE state = 'waiting'",
    ),
    ("ALTER TABLE earshot_sessions ADD COLUMN login TEXT NOT NULL DEFAULT ''",),
    (
        "CREATE TABLE earshot_alerts (call_id TEXT NOT NULL, rule TEXT NOT NULL, at BIGINT NOT NULL, data TEXT NOT NULL,"
        " revision BIGINT NOT NULL, PRIMARY KEY (call_id, rule))",
        "CREATE INDEX earshot_alerts_revision ON earshot_alerts (revision)",
    ),
    MEASURED,
    ("ALTER TABLE earshot_dials ADD COLUMN confirmed_by TEXT NOT NULL DEFAULT ''",),
    # Instead of `confirmed_by`, which has a name. Null: an earlier version wrote the row, perhaps one that is still running.
    ("ALTER TABLE earshot_dials ADD COLUMN person TEXT",),
)
"""A released step is never changed. Every later change is a new step."""

_WORDS = {
    "sqlite": {
        "id": "TEXT",
        "serial": "INTEGER PRIMARY KEY AUTOINCREMENT",
        "ended_reason": "json_extract(data, '$.ended_reason')",
        "earliest_at": "CAST((julianday(json_extract(asked, '$.earliest_at')) - 2440587.5) * 86400000 AS INTEGER)",
    },
    "postgresql": {
        "id": 'TEXT COLLATE "C"',
        "serial": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "ended_reason": "data::json->>'ended_reason'",
        "earliest_at": "CAST(EXTRACT(EPOCH FROM (asked::json->>'earliest_at')::timestamptz) * 1000 AS BIGINT)",
    },
}


_VERSION = sa.select(schema_version.c.version)


def migrate(connection: sa.Connection, steps: Sequence[Step] = STEPS) -> None:
    """Brings the schema up to date. Raises JournalError if a newer Earshot wrote it."""
    connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS earshot_schema (version INTEGER NOT NULL)")
    version = connection.execute(_VERSION).scalar()
    if version is None:
        version = 0
        connection.execute(schema_version.insert().values(version=0))
    if version > len(steps):
        raise JournalError(
            f"The journal was written by a newer Earshot (schema {version}; this version knows {len(steps)}). Use the newer version. To go"
            " back to this one, stop every Earshot and restore the backup that was made before the update (`python main.py --backup FILE`"
            " or pg_dump). Calls and idempotency keys since then are not in it: look at Vapi's dashboard before you dial again."
        )
    for step in steps[version:]:
        for entry in step:
            for statement in (entry,) if isinstance(entry, str) else entry[connection.dialect.name]:
                connection.exec_driver_sql(statement.format(**_WORDS[connection.dialect.name]))
    if version < len(steps):
        connection.execute(schema_version.update().values(version=len(steps)))
