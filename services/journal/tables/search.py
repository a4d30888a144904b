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
