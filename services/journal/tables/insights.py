"""Counts calls by day, outcome, speaker and caller ID. The index `earshot_calls_insights` has all columns that are read.

SQLite sorts what it groups: 100,000 rows by several texts take longer than by one number. So each combination of values is written as a
number, whose digits are the places of the values in lists of them. PostgreSQL takes hashes, and is faster without (0.2 s, not 0.4 s).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from services.domain.call import CallStatus
from services.journal.database.schema import calls

DAY_MS = 86_400_000
_NOT_BEGUN = (CallStatus.UNKNOWN.value, CallStatus.SCHEDULED.value)

_ENDED = sa.case((calls.c.status == CallStatus.ENDED.value, 1), else_=0)
_FLAGS = ("ended", "outgoing", "answered")
_SUMS = (
    sa.func.count().label("calls"),
    sa.func.coalesce(sa.func.sum(calls.c.talk_ms), 0).label("talk_ms"),
    sa.func.coalesce(sa.func.sum(calls.c.cost), 0.0).label("cost"),
    sa.func.count(calls.c.cost).label("priced"),
)

Where = Sequence[sa.ColumnElement[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Days of 24 hours in a row, numbered from `number` on, in milliseconds since 1970. The last may be longer or shorter, where clocks
    are changed.
    """

    number: int
    days: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Calls that are alike. `day` is None where they were not counted by day, `speaker` and `caller` are empty where not by these."""

    day: int | None = None
    speaker: str = ""
    caller: str = ""
    ended: bool
    ended_reason: str
    outgoing: bool
    answered: bool
    calls: int
    talk_ms: int
    cost: float
    priced: int


def by_day(connection: sa.Connection, runs: Sequence[Run], *, speaker: str | None, caller: str | None) -> list[Group]:
    """Of one speaker or of all, from one caller ID or from all."""
    found = []
    for run in runs:
        day = (calls.c.created_at - run.start_ms) // DAY_MS
        where = _where(run.start_ms, run.end_ms, speaker=speaker, caller=caller)
        groups = _groups(connection, where, (), day)
        found += [Group(day=run.number + min(number, run.days - 1), **values) for number, values in groups]
    return found


def by_sides(connection: sa.Connection, start_ms: int, end_ms: int, *, speaker: str | None, caller: str | None) -> list[Group]:
    """By speaker and caller ID."""
    where = _where(start_ms, end_ms, speaker=speaker, caller=caller)
    return [Group(**values) for _, values in _groups(connection, where, (calls.c.speaker, calls.c.caller), sa.literal_column("0"))]


def _where(start_ms: int, end_ms: int, *, speaker: str | None, caller: str | None) -> Where:
    where = [calls.c.created_at >= start_ms, calls.c.created_at < end_ms, calls.c.status.not_in(_NOT_BEGUN)]
    if speaker is not None:
        where.append(calls.c.speaker == speaker)
    if caller is not None:
        where.append(calls.c.caller == caller)
    return where


def _groups(
    connection: sa.Connection, where: Where, sides: Sequence[sa.ColumnClause[Any]], first: sa.ColumnElement[int]
) -> list[tuple[int, dict[str, Any]]]:
    """The number `first` and the values of each group of calls."""
    return (_by_number if connection.dialect.name == "sqlite" else _by_columns)(connection, where, sides, first)


def _by_columns(
    connection: sa.Connection, where: Where, sides: Sequence[sa.ColumnClause[Any]], first: sa.ColumnElement[int]
) -> list[tuple[int, dict[str, Any]]]:
    flags = (_ENDED.label("ended"), calls.c.outgoing, calls.c.answered)
    keys = (first.label("first"), calls.c.ended_reason, *sides, *flags)
    # By position: PostgreSQL takes an expression with parameters for another one when it comes a second time.
    query = sa.select(*keys, *_SUMS).where(*where).group_by(*(sa.literal_column(str(place + 1)) for place in range(len(keys))))
    found = []
    for row in connection.execute(query):
        texts = {column.name: getattr(row, column.name) for column in (calls.c.ended_reason, *sides)}
        found.append((int(row.first), {**_sums(row), **texts, **{name: bool(getattr(row, name)) for name in _FLAGS}}))
    return found


def _by_number(
    connection: sa.Connection, where: Where, sides: Sequence[sa.ColumnClause[Any]], first: sa.ColumnElement[int]
) -> list[tuple[int, dict[str, Any]]]:
    columns = (calls.c.ended_reason, *sides)
    combinations = connection.execute(sa.select(*columns).where(*where).distinct()).all()
    known = {column.name: sorted({row[place] for row in combinations}) for place, column in enumerate(columns)}
    code = first
    for column in columns:
        places = {value: place for place, value in enumerate(known[column.name])}
        # A value that came since then has the last place.
        code = code * (len(places) + 1) + (sa.case(places, value=column, else_=len(places)) if places else 0)
    code = ((code * 2 + _ENDED) * 2 + calls.c.outgoing) * 2 + calls.c.answered
    query = sa.select(code.label("code"), *_SUMS).where(*where).group_by(sa.literal_column("1"))
    return [_read(row, known) for row in connection.execute(query)]


def _read(row: sa.Row[Any], known: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
    """Takes the digits of a group's number apart, the last first."""
    values = _sums(row)
    code = row.code
    for name in reversed(_FLAGS):
        code, digit = divmod(code, 2)
        values[name] = bool(digit)
    for name, texts in reversed(known.items()):
        code, place = divmod(code, len(texts) + 1)
        values[name] = texts[place] if place < len(texts) else ""
    return code, values


def _sums(row: Any) -> dict[str, Any]:
    return {"calls": row.calls, "talk_ms": int(row.talk_ms), "cost": float(row.cost), "priced": row.priced}
