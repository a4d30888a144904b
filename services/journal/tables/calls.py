"""Stores calls as last read, and lists them page by page, newest first."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from services.domain.call import Call, CallStatus, CallType, merge
from services.journal.database.codec import dump, load_call, milliseconds, storable
from services.journal.database.hidden_texts import hidden, texts_of
from services.journal.database.revisions import raised
from services.journal.database.schema import calls
from services.journal.tables import numbers, outbox
from services.journal.tables.search import matching
from services.journal.tables.slots import release

_MOST = 1000  # calls per read


def newest(older: tuple[Call, datetime], newer: tuple[Call, datetime]) -> tuple[Call, datetime]:
    """Two reads of one call as one."""
    return merge(older[0], newer[0], now=newer[1]), newer[1]


def save(connection: sa.Connection, seen: Sequence[tuple[Call, datetime]]) -> None:
    """Saves calls and when they were read, by the rules of `call.merge`. A found call replaces the unknown one of its tag.

    In Vapi's texts about calls from before a number was erased, all numbers are masked.
    """
    stored = _stored(connection, [call for call, _ in seen])
    before = {id_: load_call(data) for id_, data in stored.items()}
    known = dict(before)
    ended_before = {id_ for id_, call in known.items() if not call.running}
    found = {call.tag: call.id for call in known.values() if call.tag and call.status is not CallStatus.UNKNOWN}
    for call, now in seen:
        merged = merge(known[call.id], call, now=now) if call.id in known else call
        known[call.id] = merged if merged.created_at else replace(merged, created_at=now)
        if call.tag and call.status is not CallStatus.UNKNOWN:
            found[call.tag] = call.id
    if described := [call for call in known.values() if texts_of(call) != texts_of(before.get(call.id))]:
        since = numbers.erased_at(connection)
        known |= {call.id: hidden(call, since) for call in described}
    for call in [call for call in known.values() if call.status is CallStatus.UNKNOWN and call.tag in found]:
        del known[call.id]
    _write(connection, stored, {id_: dump(call) for id_, call in known.items()}, known)
    outbox.calls_changed(connection, before, known)
    over = [call.tag for id_, call in known.items() if call.tag and not call.running and id_ not in ended_before]
    if over:
        release(connection, over)


def _stored(connection: sa.Connection, seen: list[Call]) -> dict[str, str]:
    if not seen:
        return {}
    same = calls.c.id.in_([call.id for call in seen]) | calls.c.tag.in_([call.tag for call in seen if call.tag])
    return {row.id: row.data for row in connection.execute(sa.select(calls.c.id, calls.c.data).where(same))}


_CHANGING = (
    *("tag", "status", "created_at", "words", "data", "ended_reason", "revision"),
    *("speaker", "caller", "outgoing", "answered", "talk_ms", "cost"),
)
_CHANGE = (
    calls.update()
    .where(calls.c.id == sa.bindparam("of"))
    .values({name: sa.bindparam(f"now_{name}", type_=calls.c[name].type) for name in _CHANGING})
)


def _write(connection: sa.Connection, stored: dict[str, str], wanted: dict[str, str], known: dict[str, Call]) -> None:
    if gone := stored.keys() - wanted.keys():
        connection.execute(calls.delete().where(calls.c.id.in_(gone)))
    altered = [id_ for id_, data in wanted.items() if stored.get(id_) != data]
    if not altered:
        return
    revision = raised(connection)
    if new := [_row(known[id_], wanted[id_], revision) for id_ in altered if id_ not in stored]:
        connection.execute(calls.insert(), new)
    if changed := [_row(known[id_], wanted[id_], revision) for id_ in altered if id_ in stored]:
        connection.execute(_CHANGE, [{"of": row.pop("id"), **{f"now_{name}": value for name, value in row.items()}} for row in changed])


def _row(call: Call, data: str, revision: int) -> dict[str, object]:
    assert call.created_at  # noqa: S101 - save() sets it
    words = " ".join(
        filter(None, (call.to, call.sip_uri, call.customer_name, call.caller_id, call.name, call.summary, call.ended_reason))
    ).casefold()
    return {
        "id": call.id,
        "tag": call.tag,
        "status": call.status.value,
        "created_at": milliseconds(call.created_at),
        "words": storable(words),
        "data": data,
        "ended_reason": storable(call.ended_reason or ""),
        "revision": revision,
        "speaker": storable(call.squad_id or call.assistant_id or ""),
        "caller": storable(call.phone_number_id or ""),
        "outgoing": int(call.type is CallType.OUTBOUND),
        "answered": int(call.answered),
        "talk_ms": None if call.seconds is None else round(1000 * call.seconds),
        "cost": call.cost,
    }


def page(
    *,
    statuses: Iterable[CallStatus] | None,
    created_from: datetime | None,
    created_to: datetime | None,
    before: tuple[datetime, str] | None,
    limit: int,
) -> sa.Select[tuple[str]]:
    """The query for a page of calls: `created_from` is inclusive, `created_to` exclusive, `before` the last call of the previous page."""
    query = sa.select(calls.c.data).order_by(calls.c.created_at.desc(), calls.c.id.desc()).limit(limit)
    if statuses is not None:
        query = query.where(calls.c.status.in_([status.value for status in statuses]))
    if created_from:
        query = query.where(calls.c.created_at >= milliseconds(created_from))
    if created_to:
        query = query.where(calls.c.created_at < milliseconds(created_to))
    if before:
        query = query.where(sa.tuple_(calls.c.created_at, calls.c.id) < sa.tuple_(milliseconds(before[0]), before[1]))
    return query


def of_sides(query: sa.Select[tuple[str]], *, speakers: Collection[str] | None, callers: Collection[str] | None) -> sa.Select[tuple[str]]:
    """The query, limited to calls in which one of these assistants or squads speaks, and to those from one of these caller IDs."""
    for column, wanted in ((calls.c.speaker, speakers), (calls.c.caller, callers)):
        if wanted is not None:
            query = query.where(column.in_(wanted))
    return query


def find(
    connection: sa.Connection,
    query: sa.Select[tuple[str]],
    ended: Callable[[str], bool] | None = None,
    search: str | None = None,
) -> list[Call]:
    """The calls of a query. With `ended`, only ended calls for whose reason it returns True. With `search`, only calls in whose details
    or transcript it occurs.
    """
    if ended is not None:
        reasons = connection.execute(sa.select(calls.c.ended_reason).distinct()).scalars()
        of_these = calls.c.ended_reason.in_([reason for reason in reasons if ended(reason)])
        query = query.where(calls.c.status == CallStatus.ENDED.value, of_these)
    if search:
        query = matching(connection, query, search)
    return [load_call(row.data) for row in connection.execute(query)]


def get(connection: sa.Connection, call_id: str) -> Call | None:
    """The call with this id, or with this temporary id (`unknown-` and its tag)."""
    same = (calls.c.id == call_id) | (calls.c.tag == call_id.removeprefix("unknown-"))
    return next(iter(find(connection, sa.select(calls.c.data).where(same).limit(1))), None)


_UNPRICED = (
    page(statuses=[CallStatus.ENDED], created_from=None, created_to=None, before=None, limit=_MOST)
    .where(calls.c.created_at >= sa.bindparam("since", type_=sa.BigInteger))
    .where(calls.c.data.not_like('%"cost":%'))
)


def without_cost(connection: sa.Connection, created_from: datetime) -> list[Call]:
    """The ended calls since then whose cost is not known, newest first; 1,000 at most."""
    return [load_call(row.data) for row in connection.execute(_UNPRICED, {"since": milliseconds(created_from)})]


def written_since(connection: sa.Connection, revision: int) -> list[Call]:
    """The calls that were written after that revision, oldest change first."""
    # "> 0" written out, so that the partial index with the same text is used.
    newer = sa.select(calls.c.data).where(calls.c.revision > revision, sa.text("revision > 0")).order_by(calls.c.revision)
    return find(connection, newer)
