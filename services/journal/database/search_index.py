"""The index of calls for searching, as the statements that make it in each database. `tables/search.py` uses it."""

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

LAST_TWO = "substr(words || char(10) || said, -2)"
"""The last two characters of a call's text in SQLite, written as in the index of them."""

SHORT_WORDS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        # Every trigram of the index, and in how many calls it occurs.
        "CREATE VIRTUAL TABLE earshot_search_terms USING fts5vocab(earshot_search, 'row')",
        f"CREATE INDEX earshot_calls_last_two ON earshot_calls ({LAST_TWO}) WHERE status = 'ended'",
    ),
    "postgresql": (),
}
"""What a search for two characters on SQLite needs besides."""

LAST_ONE = "substr(words || char(10) || said, -1)"
LAST_BUT_ONE = "substr(words || char(10) || said, -2, 1)"
"""The last two characters of a call's text in SQLite, each for itself, written as in the indexes of them."""

SHORTEST_WORDS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        f"CREATE INDEX earshot_calls_last ON earshot_calls ({LAST_ONE}) WHERE status = 'ended'",
        f"CREATE INDEX earshot_calls_last_but_one ON earshot_calls ({LAST_BUT_ONE}) WHERE status = 'ended'",
    ),
    "postgresql": (),
}
"""What a search for one character needs besides."""
