"""What was measured of each call's conversation, and which process measures it now."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from services.journal.database.revisions import raised
from services.journal.database.schema import calls, measures
from services.journal.records import Counted
from services.journal.tables import erasures, outbox
from services.journal.tables.dials import Living, placed_by_another


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What process `instance` has measured of a call so far, whole, in brief and for insights. `over`: it measures no more of it."""

    call_id: str
    instance: str
    data: str
    brief: str
    counted: Counted
    over: bool


def taken(connection: sa.Connection, call_id: str, instance: str, living: Living) -> bool:
    """True if another living process measures the call."""
    measurer = connection.execute(sa.select(measures.c.measurer).where(measures.c.call_id == call_id)).scalar()
    return measurer not in (None, "", instance) and bool(living(connection, {measurer}))


def take(connection: sa.Connection, call_id: str, instance: str, living: Living, leave_to_placer_of: str | None = None) -> str | None:
    """Makes `instance` the one that measures a call. Returns what was measured before, empty if nothing; None if another living process
    measures the call, or if nobody has yet and another living process placed the dial with the tag `leave_to_placer_of`."""
    if taken(connection, call_id, instance, living):
        return None
    data = connection.execute(sa.select(measures.c.data).where(measures.c.call_id == call_id)).scalar()
    if data is None:
        if leave_to_placer_of and placed_by_another(connection, leave_to_placer_of, instance, living):
            return None
        connection.execute(measures.insert().values(call_id=call_id, measurer=instance, data="", brief=""))
        return ""
    connection.execute(measures.update().where(measures.c.call_id == call_id).values(measurer=instance))
    return str(data)


def save(connection: sa.Connection, wanted: Sequence[Saved]) -> None:
    """Saves what was measured, unless another process has taken over, or the call's data was deleted."""
    gone = erasures.among(connection, {one.call_id for one in wanted})
    for one in wanted:
        if one.call_id in gone:
            continue
        values = {
            "data": one.data,
            "brief": one.brief,
            "measurer": "" if one.over else one.instance,
            "revision": raised(connection),
        }
        of = measures.c.call_id == one.call_id
        mine = measures.update().where(of & measures.c.measurer.in_(("", one.instance))).values(values)
        if not connection.execute(mine).rowcount:
            if connection.execute(sa.select(measures.c.call_id).where(of)).first():
                continue
            connection.execute(measures.insert().values(call_id=one.call_id, **values))  # the journal could not be written before
        connection.execute(calls.update().where(calls.c.id == one.call_id).values(asdict(one.counted)))
        outbox.measured(connection, one.call_id, over=one.over)


def get(connection: sa.Connection, call_id: str) -> str:
    """What was measured of a call; empty if nothing was."""
    return connection.execute(sa.select(measures.c.data).where(measures.c.call_id == call_id)).scalar() or ""


def briefs(connection: sa.Connection, call_ids: Collection[str]) -> dict[str, str]:
    """What was measured of these calls in brief, by id, without those of which nothing was."""
    query = sa.select(measures.c.call_id, measures.c.brief).where(measures.c.call_id.in_(call_ids), measures.c.brief != "")
    return {row.call_id: row.brief for row in connection.execute(query)}


def written_since(connection: sa.Connection, revision: int) -> dict[str, str]:
    """What was measured of the calls that were saved after that revision, by id."""
    # "> 0" written out, so that the partial index with the same text is used.
    newer = sa.select(measures.c.call_id, measures.c.data).where(measures.c.revision > revision, sa.text("revision > 0"))
    return {row.call_id: row.data for row in connection.execute(newer)}
