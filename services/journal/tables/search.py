"""Finds calls by part of a number, a name, a summary or a transcript. Both databases index the trigrams of ended calls: every three
characters in a row, so that parts of words and numbers are found too. One or two characters are found on SQLite by all trigrams that begin
with them, on PostgreSQL by comparing all calls, shared among its processes.
"""

import re
import sys

import sqlalchemy as sa

from services.domain.call import CallStatus
from services.journal.database.codec import storable
from services.journal.database.schema import calls, search_index, search_rows, search_terms
from services.journal.database.search_index import LAST_BUT_ONE, LAST_ONE, LAST_TWO

_LENGTH = 3  # characters in a trigram
_MOST_TRIGRAMS = 32  # per search; the comparison with the text decides anyway
_FREQUENT = 2000  # matching calls, from which on a page is found sooner by comparing the newest calls one by one

_ENDED = sa.text("status = 'ended'")  # without a parameter, so that the partial indexes of the same words apply

_OWN_PLAN = sa.text("SET LOCAL plan_cache_mode = force_custom_plan")
"""Has PostgreSQL plan each search by its text. After five it would make one plan for all texts, which looks for one or two letters in the
index of trigrams too: there it finds every call, and compares all of them."""
_PARALLEL = (sa.text("SET LOCAL parallel_setup_cost = 0"), sa.text("SET LOCAL parallel_tuple_cost = 0"))
"""Has PostgreSQL compare all calls in several processes. It expects the time to go into reading pages, which these would share no better,
but nearly all of it goes into comparing texts."""


def matching(connection: sa.Connection, query: sa.Select[tuple[str]], search: str) -> sa.Select[tuple[str]]:
    """The query, limited to calls in whose details or transcript `search` occurs. Spaces and signs in a number are ignored."""
    text = storable(search).strip().casefold()
    if not text:
        return query
    digits = re.sub(r"\D", "", text) if re.fullmatch(r"[\d\s()+./-]+", text) else ""
    details = calls.c.words.contains(digits or text, autoescape=True)
    query = query.where(details | calls.c.said.contains(text, autoescape=True))
    parts = {digits or text, text}
    if connection.dialect.name == "sqlite":
        return _by_trigrams(connection, query, parts)
    connection.execute(_OWN_PLAN)
    if min(map(len, parts)) < _LENGTH:
        for setting in _PARALLEL:
            connection.execute(setting)
    return query


def _by_trigrams(connection: sa.Connection, query: sa.Select[tuple[str]], parts: set[str]) -> sa.Select[tuple[str]]:
    wanted = [_all_trigrams(part) if len(part) >= _LENGTH else _any_trigram(connection, part) for part in parts]
    if None in wanted:
        return query
    # The index's rows are counted first, because SQLite can't estimate how many match.
    match = sa.literal_column("earshot_search").op("MATCH")(sa.bindparam("wanted", " OR ".join(f"({one})" for one in wanted)))
    rows = sa.select(search_index.c.rowid).where(match)
    if len(connection.execute(rows.limit(_FREQUENT)).all()) == _FREQUENT:
        return query
    indexed = sa.select(search_rows.c.call_id).where(search_rows.c.number.in_(rows))
    not_ended = sa.select(calls.c.id).where(_not_ended())
    found = indexed.union_all(not_ended, *(end for part in parts if len(part) < _LENGTH for end in _at_the_end(part)))
    return query.where(calls.c.id.in_(found))


def _all_trigrams(text: str) -> str:
    trigrams = dict.fromkeys(text[at : at + _LENGTH] for at in range(len(text) - _LENGTH + 1))
    return " AND ".join(map(_quoted, list(trigrams)[:_MOST_TRIGRAMS]))


def _any_trigram(connection: sa.Connection, start: str) -> str | None:
    """All trigrams in the index that begin with these one or two characters; None if they are frequent."""
    terms = sa.select(search_terms.c.term, search_terms.c.doc).where(search_terms.c.term.between(start, start + chr(sys.maxunicode)))
    found, count = [], 0
    for term, calls_with_it in connection.execute(terms):
        found.append(term)
        count += calls_with_it
        if count >= _FREQUENT:
            return None
    return " OR ".join(map(_quoted, found)) or _quoted(start + chr(sys.maxunicode))  # no text has it


def _at_the_end(end: str) -> list[sa.Select[tuple[str]]]:
    """The calls in whose last two characters these one or two are, with which no trigram begins."""
    # Equal, not between: else SQLite expects so many that it reads all calls.
    places = (LAST_ONE, LAST_BUT_ONE) if len(end) == 1 else (LAST_TWO,)
    return [sa.select(calls.c.id).where(_ENDED, sa.literal_column(place) == end) for place in places]


def _not_ended() -> sa.ColumnElement[bool]:
    return calls.c.status.in_([status.value for status in CallStatus if status is not CallStatus.ENDED])


def _quoted(trigram: str) -> str:
    return '"' + trigram.replace('"', '""') + '"'
