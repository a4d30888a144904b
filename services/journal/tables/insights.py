"""Counts calls by day, outcome, speaker and caller ID. The index `earshot_calls_insights` has all columns that are read.

SQLite sorts what it groups: 100,000 rows by several texts take longer than by one number. So each combination of values is written as a
number, whose digits are the places of the values in lists of them. PostgreSQL takes hashes, and is faster without (0.2 s, not 0.4 s).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from services.domain.call import CallStatus
from services.journal.database.schema import alerts, calls

DAY_MS = 86_400_000
_NOT_BEGUN = (CallStatus.UNKNOWN.value, CallStatus.SCHEDULED.value)

_ENDED = sa.case((calls.c.status == CallStatus.ENDED.value, 1), else_=0)
_FLAGS = ("ended", "outgoing", "answered")
_SUMS = (
    sa.func.count().label("calls"),
    sa.func.coalesce(sa.func.sum(calls.c.talk_ms), 0).label("talk_ms"),
    sa.func.coalesce(sa.func.sum(calls.c.cost), 0.0).label("cost"),
    sa.func.count(calls.c.cost).label("priced"),
    sa.func.count(calls.c.interrupted).label("measured"),
    sa.func.count(calls.c.response_ms).label("timed"),
    sa.func.coalesce(sa.func.sum(calls.c.response_ms), 0).label("response_ms"),
    sa.func.coalesce(sa.func.sum(calls.c.interrupted), 0).label("interrupted"),
    sa.func.coalesce(sa.func.sum(calls.c.barged_in), 0).label("barged_in"),
)

_WHOLE = [column.name for column in _SUMS if column.name != "cost"]

_MEMORY_AND_PLAN = sa.text("SELECT set_config('work_mem', '32MB', true), set_config('plan_cache_mode', 'force_custom_plan', true)")
"""For this transaction. With its default of 4 MB PostgreSQL sorts 100,000 calls on the disk; and after a few counts of four weeks it would
count a year by a plan for few calls."""

_SIDES = (calls.c.speaker, calls.c.caller)

Where = Sequence[sa.ColumnElement[bool]]
Known = Mapping[str, list[str]]


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
    measured: int
    timed: int
    response_ms: int
    interrupted: int
    barged_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerted:
    """Calls with alerts: how many on which day, and how many of which rule, with the data of one alert of each rule."""

    days: Mapping[int, int]
    rules: Sequence[tuple[str, int, str]]


class _NewValueError(Exception):
    """A call has a value that is not among the known ones."""


def count(
    connection: sa.Connection, runs: Sequence[Run], *, speaker: str | None, caller: str | None, known: Known
) -> tuple[list[Group], list[Group], Known]:
    """The calls by day, and by speaker and caller ID: of one speaker or of all, from one caller ID or from all. `known` is what an earlier
    count returned last, or empty: it spares SQLite a seventh of the time."""
    if connection.dialect.name == "postgresql":
        connection.execute(_MEMORY_AND_PLAN)
    whole = _where(runs[0].start_ms, runs[-1].end_ms, speaker=speaker, caller=caller)
    while True:
        if not known and connection.dialect.name == "sqlite":
            known = _known(connection, whole)
        try:
            days = [group for run in runs for group in _by_day(connection, run, speaker=speaker, caller=caller, known=known)]
            sides = [Group(**values) for _, values in _groups(connection, whole, _SIDES, sa.literal_column("0"), known)]
        except _NewValueError:
            known = {}
        else:
            return days, sides, known


def count_alerted(connection: sa.Connection, runs: Sequence[Run], *, speaker: str | None, caller: str | None) -> Alerted:
    """The calls with alerts: of one speaker or of all, from one caller ID or from all."""
    both = alerts.join(calls, calls.c.id == alerts.c.call_id)
    days: dict[int, int] = {}
    for run in runs:
        day = (calls.c.created_at - run.start_ms) // DAY_MS
        query = sa.select(day.label("day"), sa.func.count(alerts.c.call_id.distinct()).label("calls")).select_from(both)
        where = _where(run.start_ms, run.end_ms, speaker=speaker, caller=caller)
        for row in connection.execute(query.where(*where).group_by(sa.literal_column("1"))):
            number = run.number + min(int(row.day), run.days - 1)
            days[number] = days.get(number, 0) + row.calls
    query = sa.select(alerts.c.rule, sa.func.count().label("calls"), sa.func.max(alerts.c.data).label("data")).select_from(both)
    where = _where(runs[0].start_ms, runs[-1].end_ms, speaker=speaker, caller=caller)
    rows = connection.execute(query.where(*where).group_by(alerts.c.rule))
    return Alerted(days=days, rules=[(row.rule, row.calls, row.data) for row in rows])


def _by_day(connection: sa.Connection, run: Run, *, speaker: str | None, caller: str | None, known: Known) -> list[Group]:
    day = (calls.c.created_at - run.start_ms) // DAY_MS
    groups = _groups(connection, _where(run.start_ms, run.end_ms, speaker=speaker, caller=caller), (), day, known)
    return [Group(day=run.number + min(number, run.days - 1), **values) for number, values in groups]


def _where(start_ms: int, end_ms: int, *, speaker: str | None, caller: str | None) -> Where:
    where = [calls.c.created_at >= start_ms, calls.c.created_at < end_ms, calls.c.status.not_in(_NOT_BEGUN)]
    if speaker is not None:
        where.append(calls.c.speaker == speaker)
    if caller is not None:
        where.append(calls.c.caller == caller)
    return where


def _known(connection: sa.Connection, where: Where) -> Known:
    """The values of each column that is grouped by. One query for all of them: each one reads all rows."""
    columns = (calls.c.ended_reason, *_SIDES)
    combinations = connection.execute(sa.select(*columns).where(*where).distinct()).all()
    return {column.name: sorted({row[place] for row in combinations}) for place, column in enumerate(columns)}


def _groups(
    connection: sa.Connection, where: Where, sides: Sequence[sa.ColumnClause[Any]], first: sa.ColumnElement[int], known: Known
) -> list[tuple[int, dict[str, Any]]]:
    """The number `first` and the values of each group of calls."""
    if connection.dialect.name == "sqlite":
        columns = (calls.c.ended_reason, *sides)
        return _by_number(connection, where, columns, first, {column.name: known[column.name] for column in columns})
    return _by_columns(connection, where, sides, first)


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
    connection: sa.Connection, where: Where, columns: Sequence[sa.ColumnClause[Any]], first: sa.ColumnElement[int], known: Known
) -> list[tuple[int, dict[str, Any]]]:
    code = first
    for column in columns:
        places = {value: place for place, value in enumerate(known[column.name])}
        # A value that is not known yet has the last place.
        code = code * (len(places) + 1) + (sa.case(places, value=column, else_=len(places)) if places else 0)
    code = ((code * 2 + _ENDED) * 2 + calls.c.outgoing) * 2 + calls.c.answered
    query = sa.select(code.label("code"), *_SUMS).where(*where).group_by(sa.literal_column("1"))
    return [_read(row, known) for row in connection.execute(query)]


def _read(row: sa.Row[Any], known: Known) -> tuple[int, dict[str, Any]]:
    """Takes the digits of a group's number apart, the last first. Raises _NewValueError."""
    values = _sums(row)
    code = row.code
    for name in reversed(_FLAGS):
        code, digit = divmod(code, 2)
        values[name] = bool(digit)
    for name, texts in reversed(list(known.items())):
        code, place = divmod(code, len(texts) + 1)
        if place == len(texts):
            raise _NewValueError
        values[name] = texts[place]
    return code, values


def _sums(row: Any) -> dict[str, Any]:
    whole = {name: int(getattr(row, name)) for name in _WHOLE}
    return {**whole, "cost": float(row.cost)}
