"""Recordings: which process records which call, and what is kept of a call's recording. One row per call that was ever recorded.

The recording process holds a lease, which it renews and which another process takes over when its holder is silent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from services.journal.database.clock import shared_ms as _now
from services.journal.database.revisions import raised
from services.journal.database.schema import recordings
from services.journal.records import Lease, RecordingState
from services.journal.tables import outbox
from services.journal.tables.dials import Living, placed_by_another

_STALE_MS = 6000  # processes renew, and look for stale leases, every 2 s: a lease is taken over within 8 s

_MOST_SWITCHED_OFF = 1000

_HELD = recordings.c.recorder != ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A finished part of a recording, which began at `began_ms` since 1970: in the folder, or `stored` in the store."""

    call_id: str
    began_ms: int
    stored: bool


def take(
    connection: sa.Connection, call_id: str, instance: str, living: Living, *, unasked: bool, leave_to_placer_of: str | None = None
) -> Lease | None:
    """Takes the lease of a call. None if another process holds it, if `unasked` and somebody has switched this recording off, or if nobody
    has recorded the call yet and another living process placed the dial with the tag `leave_to_placer_of`.
    """
    row, now = _row(connection, call_id), _now(connection)
    if row is None and leave_to_placer_of and placed_by_another(connection, leave_to_placer_of, instance, living):
        return None
    if row and row.switched_off and unasked:
        if row.recorder and _stale(row, now):
            _put(connection, call_id, recorder="")
        return None
    if row and row.recorder not in ("", instance) and not _stale(row, now):
        return None
    taken_over = bool(row and row.recorder and row.recorder != instance)
    heard_from = row.heard_from if row and row.recorder else 0
    _put(connection, call_id, recorder=instance, renewed_at=now, heard_from=heard_from, switched_off=0)
    return Lease(missing_from_ms=heard_from if taken_over and heard_from else None)


def renew(connection: sa.Connection, heard_from: Mapping[str, int | None], instance: str) -> set[str]:
    """Renews the leases of these calls, whose first sound came then, if any. Returns those that another process has taken over."""
    these = recordings.c.call_id.in_(heard_from)
    mine = these & (recordings.c.recorder == instance)
    connection.execute(recordings.update().where(mine).values(renewed_at=_now(connection)))
    for call_id in connection.execute(sa.select(recordings.c.call_id).where(mine & (recordings.c.heard_from == 0))).scalars().all():
        if first := heard_from[call_id]:
            _put(connection, call_id, heard_from=first)
    lost = sa.select(recordings.c.call_id).where(these & _HELD & (recordings.c.recorder != instance))
    return set(connection.execute(lost).scalars())


def stale(connection: sa.Connection) -> list[str]:
    """The calls whose leases nobody renews."""
    silent = recordings.c.renewed_at <= _now(connection) - _STALE_MS
    return list(connection.execute(sa.select(recordings.c.call_id).where(_HELD & silent)).scalars())


def release(connection: sa.Connection, call_id: str, instance: str) -> None:
    row = _row(connection, call_id)
    if row and row.recorder == instance:
        _put(connection, call_id, recorder="", renewed_at=_now(connection))


def hand_over(connection: sa.Connection, instance: str) -> None:
    """Lets others take over all leases of this process at once."""
    connection.execute(recordings.update().where(recordings.c.recorder == instance).values(renewed_at=0))


def switch_off(connection: sa.Connection, calls: Sequence[str]) -> None:
    """Has whichever process records these calls stop, and lets nobody start again without being asked."""
    now = _now(connection)
    for call_id in calls:
        row = _row(connection, call_id)
        gone = {"recorder": ""} if row and row.recorder and _stale(row, now) else {}
        _put(connection, call_id, switched_off=1, **gone)


def keep(connection: sa.Connection, parts: Sequence[Kept]) -> None:
    """Notes finished parts, unless they were deleted meanwhile."""
    for part in parts:
        row = _row(connection, part.call_id)
        if row is None or part.began_ms >= row.deleted_at:
            # Under a lease, `heard_from` belongs to whoever records now.
            heard = {} if row and row.recorder else {"heard_from": part.began_ms}
            _put(connection, part.call_id, stored=int(part.stored or bool(row and row.stored)), **heard)
            outbox.recording_finished(connection, part.call_id, part.began_ms)


def delete(connection: sa.Connection, deletions: Sequence[tuple[str, int]], *, swept: bool) -> None:
    """Deletes what began before these times, in milliseconds since 1970. Unless `swept`, the store still has to be asked to."""
    for call_id, at_ms in deletions:
        _put(connection, call_id, stored=0, deleted_at=at_ms, swept=int(swept))


def sweep(connection: sa.Connection, deletions: Sequence[tuple[str, int]]) -> None:
    """The store has deleted what `delete` wanted at that time."""
    for call_id, at_ms in deletions:
        of = (recordings.c.call_id == call_id) & (recordings.c.deleted_at == at_ms)
        connection.execute(recordings.update().where(of).values(swept=1))


def known(connection: sa.Connection) -> list[RecordingState]:
    """All that are being recorded, stored, or to be deleted from the store, and the latest 1,000 that were switched off."""
    open_ = _HELD | (recordings.c.stored == 1) | (recordings.c.swept == 0)
    off = sa.select(recordings).where(recordings.c.switched_off == 1).order_by(recordings.c.revision.desc()).limit(_MOST_SWITCHED_OFF)
    found = {row.call_id: row for query in (off, sa.select(recordings).where(open_)) for row in connection.execute(query)}
    return [_state(row) for row in found.values()]


def older(connection: sa.Connection, before_ms: int) -> list[str]:
    """The calls whose recordings are finished and began before then."""
    there = (recordings.c.recorder == "") & (recordings.c.heard_from > recordings.c.deleted_at)
    query = sa.select(recordings.c.call_id).where(there, recordings.c.heard_from <= before_ms)
    return list(connection.execute(query.order_by(recordings.c.heard_from)).scalars())


def get(connection: sa.Connection, call_id: str) -> RecordingState:
    """What is known of a recording, also of one that was deleted or never begun."""
    row = _row(connection, call_id)
    return _state(row) if row else RecordingState(call_id=call_id)


def written_since(connection: sa.Connection, revision: int) -> list[RecordingState]:
    return [_state(row) for row in connection.execute(sa.select(recordings).where(recordings.c.revision > revision))]


def _row(connection: sa.Connection, call_id: str) -> sa.Row[Any] | None:
    return connection.execute(sa.select(recordings).where(recordings.c.call_id == call_id)).one_or_none()


def _put(connection: sa.Connection, call_id: str, **values: str | int) -> None:
    values["revision"] = raised(connection)
    if connection.execute(recordings.update().where(recordings.c.call_id == call_id).values(values)).rowcount:
        return
    fresh = {"recorder": "", "renewed_at": _now(connection), "heard_from": 0, "switched_off": 0, "stored": 0, "deleted_at": 0, "swept": 1}
    connection.execute(recordings.insert().values(call_id=call_id, **fresh | values))


def _state(row: sa.Row[Any]) -> RecordingState:
    return RecordingState(
        call_id=row.call_id,
        recorder=row.recorder,
        switched_off=bool(row.switched_off),
        stored=bool(row.stored),
        deleted_at_ms=row.deleted_at,
        swept=bool(row.swept),
        heard_from_ms=row.heard_from,
    )


def _stale(row: sa.Row[Any], now: int) -> bool:
    return bool(row.renewed_at <= now - _STALE_MS)
