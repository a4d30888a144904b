"""The columns by which calls are counted, and their index, as the statements that add them. `tables/insights.py` reads them."""

from collections.abc import Mapping, Sequence

_FROM_JSON: Mapping[str, Sequence[str]] = {
    "sqlite": (
        "UPDATE earshot_calls SET speaker = COALESCE(json_extract(data, '$.squad_id'), json_extract(data, '$.assistant_id'), ''),"
        " caller = COALESCE(json_extract(data, '$.phone_number_id'), ''),"
        " outgoing = CASE WHEN json_extract(data, '$.inbound') OR json_extract(data, '$.web') THEN 0 ELSE 1 END,"
        " answered = CASE WHEN json_extract(data, '$.started_at') IS NULL AND status NOT IN ('in-progress', 'forwarding')"
        " THEN 0 ELSE 1 END,"
        " talk_ms = MAX(0, CAST(round((julianday(json_extract(data, '$.ended_at')) - julianday(json_extract(data, '$.started_at')))"
        " * 86400000) AS INTEGER)),"
        " cost = json_extract(data, '$.cost')",
    ),
    "postgresql": (
        "UPDATE earshot_calls SET speaker = COALESCE(data::json->>'squad_id', data::json->>'assistant_id', ''),"
        " caller = COALESCE(data::json->>'phone_number_id', ''),"
        " outgoing = CASE WHEN data::json->>'inbound' = 'true' OR data::json->>'web' = 'true' THEN 0 ELSE 1 END,"
        " answered = CASE WHEN data::json->>'started_at' IS NULL AND status NOT IN ('in-progress', 'forwarding') THEN 0 ELSE 1 END,"
        " talk_ms = CASE WHEN data::json->>'started_at' IS NULL OR data::json->>'ended_at' IS NULL THEN NULL ELSE GREATEST(0, CAST("
        "EXTRACT(EPOCH FROM (data::json->>'ended_at')::timestamptz - (data::json->>'started_at')::timestamptz) * 1000 AS BIGINT)) END,"
        " cost = CAST(data::json->>'cost' AS DOUBLE PRECISION)",
    ),
}

COUNTED: tuple[str | Mapping[str, Sequence[str]], ...] = (
    "ALTER TABLE earshot_calls ADD COLUMN speaker TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE earshot_calls ADD COLUMN caller TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE earshot_calls ADD COLUMN outgoing INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE earshot_calls ADD COLUMN answered INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE earshot_calls ADD COLUMN talk_ms BIGINT",
    "ALTER TABLE earshot_calls ADD COLUMN cost DOUBLE PRECISION",
    _FROM_JSON,
    "CREATE INDEX earshot_calls_insights ON earshot_calls"
    " (created_at, status, ended_reason, speaker, caller, outgoing, answered, talk_ms, cost)",
)
"""The step of a migration: as with every other, never changed after a release."""
