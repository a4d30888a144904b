"""Dials, written down before Vapi is asked. Many in one transaction, each as if it were alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from services.domain.call import CallOrder
from services.domain.errors import DuplicateCall, DuplicateRunningCall, EarshotError, KeyInProgress, KeyReused, LimitReached
from services.domain.limits import Limits
from services.journal.database.codec import dump, load_call, load_order, milliseconds, time_of
from services.journal.database.schema import dials
from services.journal.records import Begun, Dial, DialState
from services.journal.tables.slots import CLOCKS, booked, taken, window
from services.journal.tables.states import newest as newest_state

KEY_KEPT = timedelta(hours=24)
_KEY_ENDS_SOON = timedelta(minutes=1)
_HOUR, _DAY = timedelta(hours=1), timedelta(hours=24)
_MOST_TIMES = 10_000

# Literal text instead of parameters, so that the partial indexes with the same text are used.
COUNTED = sa.text("state <> 'refused'")
OPEN = sa.text("state IN ('dialling', 'unknown')")
_KEY_MAY_GO = sa.text("key IS NOT NULL AND state <> 'dialling'")
NO_KEY = {"key": None, "fingerprint": None, "first_call": None}

Row = Mapping[Any, Any]
Living = Callable[[sa.Connection, set[str]], set[str]]
"""The members of a set of processes that may still be running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """A dial to write down. `transfers` is the id of a call that is transferred: no new call, but somebody's phone rings. `instead_of` is
    the tag of a scheduled call that will have been cancelled before it is dialled.
    """

    order: CallOrder
    client: str
    key: str | None
    fingerprint: str | None
    limits: Limits
    instance: str
    now: datetime
    transfers: str | None = None
    instead_of: str | None = None


def begin(connection: sa.Connection, wanted: Sequence[Beginning]) -> list[Begun | EarshotError]:
    """Writes each dial down, or returns why not: a replay, KeyReused, KeyInProgress, DuplicateCall or LimitReached."""
    book = _Book(connection, wanted)
    answers = [book.answer(item) for item in wanted]
    if book.new:
        connection.execute(dials.insert(), book.new)
    return answers


def weigh(connection: sa.Connection, wanted: Beginning) -> EarshotError | None:
    """Why a dial without a key may not be dialled now; writes nothing."""
    answer = _Book(connection, [wanted]).answer(wanted)
    return answer if isinstance(answer, EarshotError) else None


class _Book:
    """The earlier dials that matter to the wanted ones, and the new ones of this transaction.

    They are read once for all. When each dial was judged by queries of its own, in the same transaction, a request took 5.6 ms of CPU
    instead of 2.2 ms, and rising with the number of dials; `benchmarks.place_calls` showed 0.52 x instead of 1.34 x of the typed SDK.
    """

    def __init__(self, connection: sa.Connection, wanted: Sequence[Beginning]) -> None:
        self._connection = connection
        self._now = max(item.now for item in wanted)
        self.new: list[dict[str, Any]] = []
        self._tags: set[str] = set()
        self._keyed: dict[tuple[str, str], Row] = {}
        self._recent: dict[tuple[str, str], Row] = {}
        self._running: dict[str, Row] = {}
        self._counts: dict[timedelta, int] = {}
        self._slots = 0
        self._states: int | None = None
        tags, keys = [item.order.tag for item in wanted], [item.key for item in wanted if item.key]
        for row in connection.execute(sa.select(dials).where(dials.c.tag.in_(tags) | dials.c.key.in_(keys))).mappings():
            self._know(row)
        if windows := [item.limits.duplicate_window for item in wanted if item.limits.duplicate_window]:
            self._recent = _recent(connection, {item.order.to for item in wanted}, self._now - max(windows))
        if numbers := {item.order.to for item in wanted if item.limits.one_per_number}:
            self._running = _running(connection, numbers, self._now)
        if any(item.limits.per_hour is not None or item.limits.per_day is not None for item in wanted):
            self._counts = _counts(connection, self._now)
        if any(item.limits.at_once is not None for item in wanted):
            self._slots = taken(connection, self._now)

    def answer(self, wanted: Beginning) -> Begun | EarshotError:
        if wanted.order.tag in self._tags:
            return KeyInProgress("This order was dialled before.")
        if wanted.key and (before := self._before(wanted.client, wanted.key)):
            return _again(before, wanted.fingerprint)
        if refusal := self._duplicate(wanted) or self._limit(wanted) or self._own_limit(wanted):
            return refusal
        slot_from, slot_until = (None, None) if wanted.transfers else window(wanted.order, self._now)
        row = {
            "tag": wanted.order.tag,
            "client": wanted.client,
            "to_number": wanted.order.to,
            "asked": dump(wanted.order),
            "state": (DialState.PLACED if wanted.transfers else DialState.DIALLING).value,
            "instance": wanted.instance,
            "dialled_at": milliseconds(self._now),
            "call_id": wanted.transfers,
            "slot_from": slot_from,
            "slot_until": slot_until,
            "hang_up_by": None,
            "person": wanted.limits.person,
            **NO_KEY,
            **({"key": wanted.key, "fingerprint": wanted.fingerprint} if wanted.key else {}),
        }
        self.new.append(row)
        self._know(row)
        self._recent[wanted.order.to, wanted.client] = row
        self._counts = {window: count + 1 for window, count in self._counts.items()}
        if slot_from is not None and slot_from <= milliseconds(self._now + CLOCKS):
            self._slots += 1
            self._running[wanted.order.to] = row
        self._states = newest_state(self._connection) if self._states is None else self._states
        return Begun(dial=dial_of(row, order=wanted.order), states=self._states)

    def _know(self, row: Row) -> None:
        self._tags.add(row["tag"])
        if row["key"]:
            self._keyed[row["client"], row["key"]] = row

    def _before(self, client: str, key: str) -> Row | None:
        row = self._keyed.get((client, key))
        if row and row["state"] != DialState.DIALLING and row["dialled_at"] <= milliseconds(self._now - KEY_KEPT):
            self._connection.execute(dials.update().where(dials.c.tag == row["tag"]).values(NO_KEY))
            return None
        return row

    def _duplicate(self, wanted: Beginning) -> DuplicateCall | None:
        if wanted.limits.one_per_number and (running := self._running.get(wanted.order.to)):
            return DuplicateRunningCall(call_id=dial_of(running).shown_id)
        window = wanted.limits.duplicate_window
        row = self._recent.get((wanted.order.to, wanted.client)) if window else None
        if not window or not row or row["dialled_at"] <= milliseconds(self._now - window):
            return None
        return DuplicateCall(
            f"You called this number less than {window.total_seconds():.0f} seconds ago. To call it again now, set allowDuplicate.",
            call_id=dial_of(row).shown_id,
        )

    def _limit(self, wanted: Beginning) -> LimitReached | None:
        limits = wanted.limits
        if limits.at_once is not None and self._slots_at(wanted.order, wanted.instead_of) >= limits.at_once:
            return LimitReached.at_once(limits.at_once)
        for time, cap, code, words in (
            (_HOUR, limits.per_hour, "rate_limited", "in an hour"),
            (_DAY, limits.per_day, "daily_limit_exceeded", "in 24 hours"),
        ):
            if cap is not None and self._counts[time] >= cap:
                detail = f"The limit of {cap} {'call' if cap == 1 else 'calls'} {words} is reached."
                return LimitReached(detail, code=code, retry_after=self._room_in(time, cap))
        return None

    def _own_limit(self, wanted: Beginning) -> LimitReached | None:
        """Why the person of this dial may not dial now because of their own caps; None if they may."""
        for own, cap in wanted.limits.own:
            if wait := self._own_room_in(wanted.limits, own.length, cap):
                detail = f"You may place {cap} {'call' if cap == 1 else 'calls'} {own.words}. An owner can allow more."
                return LimitReached(detail, code=own.code, retry_after=wait)
        return None

    def _own_room_in(self, limits: Limits, time: timedelta, cap: int) -> float:
        """Seconds until fewer than `cap` of their own or confirmed dials are in the window `time`; all of it if `cap` is 0."""
        if cap == 0:
            return time.total_seconds()
        before = cap - sum(row["person"] == limits.person for row in self.new)
        oldest: int | None = milliseconds(self._now)
        if before > 0:
            by_name = (dials.c.client == limits.person_name) | (dials.c.confirmed_by == limits.person_name)
            own = (dials.c.person == limits.person) | (dials.c.person.is_(None) & by_name)
            recent = dials.c.dialled_at > milliseconds(self._now - time)
            newest_first = sa.select(dials.c.dialled_at).where(COUNTED, own, recent).order_by(dials.c.dialled_at.desc())
            oldest = self._connection.execute(newest_first.offset(before - 1).limit(1)).scalar()
        return 0.0 if oldest is None else max((time_of(oldest) + time - self._now).total_seconds(), 0.001)

    def _slots_at(self, order: CallOrder, but: str | None) -> int:
        """How many slots are taken when the call of `order` begins: now, or at the time that it is scheduled for."""
        if order.earliest_at is None or order.earliest_at <= self._now:
            return self._slots
        if self.new:
            self._connection.execute(dials.insert(), self.new)
            self.new = []
        return booked(self._connection, order.earliest_at, self._now, order, but)

    def _room_in(self, window: timedelta, cap: int) -> float:
        """Seconds until enough dials have left the window; the whole window if the cap is 0."""
        if cap == 0:
            return window.total_seconds()
        before = cap - len(self.new)
        oldest = milliseconds(self._now)
        if before > 0:
            newest_first = sa.select(dials.c.dialled_at).where(COUNTED).order_by(dials.c.dialled_at.desc())
            oldest = self._connection.execute(newest_first.offset(before - 1).limit(1)).scalar_one()
        return max((time_of(oldest) + window - self._now).total_seconds(), 0.001)


def _again(before: Row, fingerprint: str | None) -> Begun | EarshotError:
    if before["fingerprint"] != fingerprint:
        return KeyReused("This idempotency key was used for another request. Use a new key for each call.")
    dial = dial_of(before)
    if dial.first_call is None:
        return KeyInProgress("The first request with this idempotency key is still running. Try again in a moment.", retry_after=1)
    return Begun(dial=dial, replay=dial.first_call)


def _recent(connection: sa.Connection, numbers: set[str], since: datetime) -> dict[tuple[str, str], Row]:
    """The newest dial per number and client."""
    query = sa.select(dials).where(dials.c.to_number.in_(numbers), dials.c.dialled_at > milliseconds(since), COUNTED)
    rows = connection.execute(query.order_by(dials.c.dialled_at)).mappings()
    return {(row["to_number"], row["client"]): row for row in rows}


def _running(connection: sa.Connection, numbers: set[str], now: datetime) -> dict[str, Row]:
    """The newest dial per number whose call may be running."""
    held = (dials.c.slot_until > milliseconds(now)) & (dials.c.slot_from <= milliseconds(now + CLOCKS))
    rows = connection.execute(sa.select(dials).where(dials.c.to_number.in_(numbers), held).order_by(dials.c.dialled_at)).mappings()
    return {row["to_number"]: row for row in rows}


def _counts(connection: sa.Connection, now: datetime) -> dict[timedelta, int]:
    hour = sa.func.count().filter(dials.c.dialled_at > milliseconds(now - _HOUR))
    row = connection.execute(sa.select(hour, sa.func.count()).where(dials.c.dialled_at > milliseconds(now - _DAY), COUNTED)).one()
    return {_HOUR: row[0], _DAY: row[1]}


_OPEN_DIALS = sa.select(dials).where(OPEN).order_by(dials.c.dialled_at)


def take_over(
    connection: sa.Connection,
    instance: str,
    living: Living,
    worked_on: Callable[[str], bool],
) -> list[Dial]:
    """Assigns the open dials of dead processes to `instance`, so that only one process searches for each. Returns them and the dials
    of `instance` itself that are not `worked_on`, oldest first.
    """
    rows = connection.execute(_OPEN_DIALS).mappings().all()
    others = {row["instance"] for row in rows} - {instance}
    gone = others - living(connection, others) if others else set()
    if gone:
        connection.execute(dials.update().where(OPEN, dials.c.instance.in_(gone)).values(instance=instance))
    # Asked within the transaction: a dial that is settled in the meantime is worked on until its settlement is committed.
    return [dial_of(row) for row in rows if row["instance"] in gone or (row["instance"] == instance and not worked_on(row["tag"]))]


_DIALLED = (
    sa.select(dials.c.dialled_at)
    .where(dials.c.dialled_at >= sa.bindparam("since", type_=sa.BigInteger), COUNTED)
    .order_by(dials.c.dialled_at.desc())
    .limit(_MOST_TIMES)
)


def dialled_since(connection: sa.Connection, time: datetime) -> list[datetime]:
    """The times of the dials that count, oldest first; the newest 10,000 at most."""
    newest = connection.execute(_DIALLED, {"since": milliseconds(time)}).scalars().all()
    return [time_of(at) for at in reversed(newest)]


def placed_by_another(connection: sa.Connection, tag: str, instance: str, living: Living) -> bool:
    """True if another process that is still running placed the dial with this tag."""
    placer = connection.execute(sa.select(dials.c.instance).where(dials.c.tag == tag)).scalar()
    return placer not in (None, instance) and bool(living(connection, {placer}))


def get(connection: sa.Connection, tag: str) -> Dial | None:
    row = connection.execute(sa.select(dials).where(dials.c.tag == tag)).mappings().one_or_none()
    return dial_of(row) if row else None


def has_key(connection: sa.Connection, client: str, key: str, now: datetime) -> bool:
    """True if a dial with this key gets the answer of an earlier dial, now and for the next minute."""
    kept = (dials.c.state == DialState.DIALLING.value) | (dials.c.dialled_at > milliseconds(now + _KEY_ENDS_SOON - KEY_KEPT))
    found = sa.select(dials.c.tag).where(dials.c.client == client, dials.c.key == key, kept)
    return connection.execute(found).first() is not None


def forget_keys(connection: sa.Connection, before: datetime) -> None:
    """Frees the keys of dials before that time, unless they are still dialling."""
    connection.execute(dials.update().where(dials.c.dialled_at <= milliseconds(before), _KEY_MAY_GO).values(NO_KEY))


def dial_of(row: Row, *, order: CallOrder | None = None) -> Dial:
    return Dial(
        order=order or load_order(row["asked"]),
        client=row["client"],
        state=DialState(row["state"]),
        dialled_at=time_of(row["dialled_at"]),
        call_id=row["call_id"],
        key=row["key"],
        fingerprint=row["fingerprint"],
        first_call=load_call(row["first_call"]) if row["first_call"] else None,
        hang_up_by=row["hang_up_by"],
        person=row["person"],
    )
