"""Migration: adds to calls the figures of conversations that insights count, and to measures the revision that other processes follow."""

from collections.abc import Mapping, Sequence

_FROM_BRIEF: Mapping[str, Sequence[str]] = {
    "sqlite": (
        "UPDATE earshot_calls SET response_ms = CAST(round(1000 * json_extract(brief, '$.responseTime.assistant.median')) AS INTEGER),"
        " interrupted = json_extract(brief, '$.interruptions.byAssistant'),"
        " barged_in = json_extract(brief, '$.interruptions.byCustomer')"
        " FROM earshot_measures WHERE call_id = id AND brief <> ''",
    ),
    "postgresql": (
        "UPDATE earshot_calls SET"
        " response_ms = CAST(round(1000 * CAST(brief::json #>> '{{responseTime,assistant,median}}' AS NUMERIC)) AS BIGINT),"
        " interrupted = CAST(brief::json #>> '{{interruptions,byAssistant}}' AS INTEGER),"
        " barged_in = CAST(brief::json #>> '{{interruptions,byCustomer}}' AS INTEGER)"
        " FROM earshot_measures WHERE call_id = id AND brief <> ''",
    ),
}

MEASURED: tuple[str | Mapping[str, Sequence[str]], ...] = (
    "ALTER TABLE earshot_calls ADD COLUMN response_ms BIGINT",
    "ALTER TABLE earshot_calls ADD COLUMN interrupted INTEGER",
    "ALTER TABLE earshot_calls ADD COLUMN barged_in INTEGER",
    _FROM_BRIEF,
    "DROP INDEX earshot_calls_insights",
    "CREATE INDEX earshot_calls_insights ON earshot_calls (created_at, status, ended_reason, speaker, caller, outgoing, answered, talk_ms,"
    " cost, response_ms, interrupted, barged_in)",
    "ALTER TABLE earshot_measures ADD COLUMN revision BIGINT NOT NULL DEFAULT 0",
    "CREATE INDEX earshot_measures_revision ON earshot_measures (revision) WHERE revision > 0",
)
"""The step of a migration: as with every other, never changed after a release."""
