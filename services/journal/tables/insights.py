"""Counts calls by day, outcome, speaker and caller ID. The index `earshot_calls_insights` has all columns that are read."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from services.domain.call import CallStatus
from services.journal.database.schema import calls

DAY_MS = 86_400_000
_NOT_BEGUN = (CallStatus.UNKNOWN.value, CallStatus.SCHEDULED.value)


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
    """Calls that are alike. `day` is None where they were not counted by day, `speaker` and `caller` where not by these."""

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
        day = ((calls.c.created_at - run.start_ms) // DAY_MS).label("day")
        rows = connection.execute(_groups((day,), run.start_ms, run.end_ms, speaker=speaker, caller=caller))
        found += [_group(row, day=run.number + min(row.day, run.days - 1)) for row in rows]
    return found


def by_sides(connection: sa.Connection, start_ms: int, end_ms: int, *, speaker: str | None, caller: str | None) -> list[Group]:
    """By speaker and caller ID."""
    query = _groups((calls.c.speaker, calls.c.caller), start_ms, end_ms, speaker=speaker, caller=caller)
    return [_group(row, speaker=row.speaker, caller=row.caller) for row in connection.execute(query)]


def _groups(
    by: Sequence[sa.ColumnElement[object]], start_ms: int, end_ms: int, *, speaker: str | None, caller: str | None
) -> sa.Select[tuple[object, ...]]:
    keys = (*by, calls.c.status, calls.c.ended_reason, calls.c.outgoing, calls.c.answered)
    sums = (
        sa.func.count().label("calls"),
        sa.func.coalesce(sa.func.sum(calls.c.talk_ms), 0).label("talk_ms"),
        sa.func.coalesce(sa.func.sum(calls.c.cost), 0.0).label("cost"),
        sa.func.count(calls.c.cost).label("priced"),
    )
    query = sa.select(*keys, *sums).where(calls.c.created_at >= start_ms, calls.c.created_at < end_ms, calls.c.status.not_in(_NOT_BEGUN))
    if speaker is not None:
        query = query.where(calls.c.speaker == speaker)
    if caller is not None:
        query = query.where(calls.c.caller == caller)
    # By position: PostgreSQL takes an expression with parameters for another one when it comes a second time.
    return query.group_by(*(sa.literal_column(str(place + 1)) for place in range(len(keys))))


def _group(row: sa.Row[tuple[object, ...]], *, day: int | None = None, speaker: str = "", caller: str = "") -> Group:
    return Group(
        day=day,
        speaker=speaker,
        caller=caller,
        ended=row.status == CallStatus.ENDED.value,
        ended_reason=row.ended_reason,
        outgoing=bool(row.outgoing),
        answered=bool(row.answered),
        calls=row.calls,
        talk_ms=int(row.talk_ms),
        cost=float(row.cost),
        priced=row.priced,
    )
