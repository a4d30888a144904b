"""Finds calls by part of a number, a name, a summary or a transcript. Both databases index the trigrams of ended calls: every three
characters in a row, so that parts of words and numbers are found too.
"""

import re

import sqlalchemy as sa

from services.domain.call import CallStatus
from services.journal.database.codec import storable
from services.journal.database.schema import calls, search_index, search_rows

_LENGTH = 3  # characters in a trigram
_MOST_TRIGRAMS = 32  # per search; the comparison with the text decides anyway
_FREQUENT = 2000  # matching calls, from which on a page is found sooner by comparing the newest calls one by one

# A call that has not ended is not in SQLite's index, so that a dial does not wait for it.
INDEX: dict[str, tuple[str, ...]] = {
    "sqlite": (
        # The index has its own numbers, because VACUUM may change those that SQLite gives to rows.
        "CREATE TABLE earshot_search_rows (number INTEGER PRIMARY KEY, call_id TEXT NOT NULL UNIQUE)",
        "CREATE VIRTUAL TABLE earshot_search USING fts5(text, content='', detail=none, tokenize='trigram case_sensitive 1')",
        "INSERT INTO earshot_search_rows (call_id) SELECT id FROM earshot_calls WHERE status = 'ended'",
        "INSERT INTO earshot_search (rowid, text) SELECT number, words || char(10) || said FROM earshot_search_rows"
        " JOIN earshot_calls ON id = call_id",
        *(
            f"CREATE TRIGGER earshot_search_{event} AFTER {event} ON earshot_calls WHEN new.status = 'ended'{before} BEGIN"  # noqa: S608  # nosec B608 - of constants alone
            " INSERT INTO earshot_search_rows (call_id) VALUES (new.id);"
            " INSERT INTO earshot_search (rowid, text) SELECT number, new.words || char(10) || new.said FROM earshot_search_rows"
            " WHERE call_id = new.id; END"
            for event, before in (("insert", ""), ("update", " AND old.status <> 'ended'"))
        ),
        # An index without text of its own must be given the old text to remove it.
        "CREATE TRIGGER earshot_search_change AFTER UPDATE ON earshot_calls WHEN old.status = 'ended'"
        " AND (new.words <> old.words OR new.said <> old.said) BEGIN"
        " INSERT INTO earshot_search (earshot_search, rowid, text) SELECT 'delete', number, old.words || char(10) || old.said"
        " FROM earshot_search_rows WHERE call_id = old.id;"
        " INSERT INTO earshot_search (rowid, text) SELECT number, new.words || char(10) || new.said FROM earshot_search_rows"
        " WHERE call_id = old.id; END",
        "CREATE TRIGGER earshot_search_delete AFTER DELETE ON earshot_calls WHEN old.status = 'ended' BEGIN"
        " INSERT INTO earshot_search (earshot_search, rowid, text) SELECT 'delete', number, old.words || char(10) || old.said"
        " FROM earshot_search_rows WHERE call_id = old.id;"
        " DELETE FROM earshot_search_rows WHERE call_id = old.id; END",
    ),
    # An owner of the database may install pg_trgm since PostgreSQL 13. Without it a search reads all calls.
    "postgresql": (
        "DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS pg_trgm;"
        " CREATE INDEX earshot_calls_search ON earshot_calls USING gin (words gin_trgm_ops, said gin_trgm_ops);"
        " EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN NULL; END $$",
    ),
}
"""The statements of a migration: as with every other, never changed after a release."""


def matching(connection: sa.Connection, query: sa.Select[tuple[str]], search: str) -> sa.Select[tuple[str]]:
    """The query, limited to calls in whose details or transcript `search` occurs. Spaces and signs in a number are ignored."""
    text = storable(search).strip().casefold()
    if not text:
        return query
    digits = re.sub(r"\D", "", text) if re.fullmatch(r"[\d\s()+./-]+", text) else ""
    details = calls.c.words.contains(digits or text, autoescape=True)
    query = query.where(details | calls.c.said.contains(text, autoescape=True))
    if connection.dialect.name == "sqlite" and min(len(digits or text), len(text)) >= _LENGTH:
        return _by_index(connection, query, " OR ".join(f"({_all_trigrams(part)})" for part in {digits or text, text}))
    return query


def _by_index(connection: sa.Connection, query: sa.Select[tuple[str]], wanted: str) -> sa.Select[tuple[str]]:
    # The index's rows are counted first, because SQLite can't estimate how many match.
    match = sa.literal_column("earshot_search").op("MATCH")(sa.bindparam("wanted", wanted))
    rows = sa.select(search_index.c.rowid).where(match)
    if len(connection.execute(rows.limit(_FREQUENT)).all()) == _FREQUENT:
        return query
    indexed = sa.select(search_rows.c.call_id).where(search_rows.c.number.in_(rows))
    not_ended = sa.select(calls.c.id).where(calls.c.status.in_([status.value for status in CallStatus if status is not CallStatus.ENDED]))
    return query.where(calls.c.id.in_(indexed.union_all(not_ended)))


def _all_trigrams(text: str) -> str:
    trigrams = dict.fromkeys(text[at : at + _LENGTH].replace('"', '""') for at in range(len(text) - _LENGTH + 1))
    return " AND ".join(f'"{trigram}"' for trigram in list(trigrams)[:_MOST_TRIGRAMS])
