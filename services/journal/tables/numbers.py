"""Masks phone numbers in the rows that outlive the data of calls: one number in every table, or all numbers of old dials and audit rows."""

import json
import operator
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Any

import sqlalchemy as sa

from services.domain.call import CallStatus
from services.domain.phone_number import masked
from services.domain.spellings import Spellings, hide_numbers
from services.journal.database.codec import dump, load_order, milliseconds
from services.journal.database.hidden_texts import ERASED_AT
from services.journal.database.revisions import raised
from services.journal.database.schema import alerts, audit, calls, dials, labels, notes, outbox, states, transcripts
from services.journal.records import DialState
from services.journal.tables.states import change, get

_BATCH = 200  # rows of one transaction, which takes a few milliseconds
_CLOSED = dials.c.state.not_in([DialState.DIALLING.value, DialState.UNKNOWN.value])
_MASKED = "…%"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Columns of a table whose texts may name a number. `key` names a row, `stored` are the columns that programs read again, `where` are
    the rows that may be changed. Texts of a `whole` table can't be changed, and its rows are deleted."""

    table: sa.TableClause
    key: str
    texts: tuple[str, ...]
    stored: frozenset[str] = frozenset()
    where: sa.ColumnElement[bool] | None = None
    whole: bool = False

    def of(self, parts: Collection[str]) -> sa.Select[Any]:
        """The keys of the rows in which one of these occurs."""
        written = {*parts, *(json.dumps(part)[1:-1] for part in parts)}
        named = [self.table.c[text].contains(part, autoescape=True) for text in self.texts for part in written]
        found = sa.select(self.table.c[self.key]).where(reduce(operator.or_, named))
        return found if self.where is None else found.where(self.where)

    def hide(self, spellings: Spellings, text: str, value: str) -> str:
        """The value of one of the columns with the number masked."""
        return spellings.hide_stored(value) if text in self.stored else spellings.hide(value)


_LISTS = ("blocked", "dial-questions")
"""States that are left alone: the block list protects the number, and questions to dial are gone in minutes."""

_PLACES = (
    _Place(
        table=calls, key="id", texts=("data", "words", "said"), stored=frozenset({"data"}), where=calls.c.status == CallStatus.ENDED.value
    ),
    _Place(table=transcripts, key="call_id", texts=("lines",), stored=frozenset({"lines"})),
    _Place(table=notes, key="id", texts=("text",)),
    _Place(table=labels, key="text", texts=("text",), whole=True),
    _Place(table=alerts, key="call_id", texts=("data",), stored=frozenset({"data"}), whole=True),
    _Place(table=audit, key="id", texts=("to_number", "detail", "words")),
    _Place(table=dials, key="tag", texts=("to_number", "asked", "first_call"), stored=frozenset({"asked", "first_call"}), where=_CLOSED),
    _Place(table=outbox, key="id", texts=("data",), stored=frozenset({"data"})),
    _Place(table=states, key="name", texts=("value",), stored=frozenset({"value"}), where=states.c.name.not_in(_LISTS)),
)


def note_erasure(connection: sa.Connection, now: datetime) -> None:
    """Notes the time. Texts of earlier calls are from now on stored with every row of digits masked that may be a number."""
    change(connection, ERASED_AT, lambda value: value if value and int(value) > milliseconds(now) else str(milliseconds(now)))


def erased_at(connection: sa.Connection) -> int:
    """When a number was last erased, in milliseconds since 1970; 0 if none was."""
    return int(get(connection, ERASED_AT)[0] or 0)


def open_dials(connection: sa.Connection, number: str, now: datetime) -> int:
    """The dials to a number whose calls may run, or may yet be found."""
    holds_slot = dials.c.slot_until > milliseconds(now)
    query = sa.select(sa.func.count()).select_from(dials).where(dials.c.to_number == number, ~_CLOSED | holds_slot)
    return int(connection.execute(query).scalar_one())


def mentions(connection: sa.Connection, spellings: Spellings) -> list[tuple[int, list[Any]]]:
    """Where the number may be named: places in this module's list, and keys of rows, in batches for `hide`."""
    found = []
    for place, at in enumerate(_PLACES):
        keys = list(connection.execute(at.of(spellings.parts)).scalars())
        found += [(place, keys[start : start + _BATCH]) for start in range(0, len(keys), _BATCH)]
    return found


def hide(connection: sa.Connection, spellings: Spellings, place: int, keys: Sequence[Any]) -> list[str]:
    """Masks the number in these rows of a place. Returns the ids of calls that have changed."""
    at = _PLACES[place]
    key = at.table.c[at.key]
    rows = connection.execute(sa.select(key, *(at.table.c[text] for text in at.texts if text != at.key)).where(key.in_(keys))).mappings()
    changed = []
    for row in rows.all():
        texts = {text: row[text] for text in at.texts if row[text] is not None}
        hidden = {text: at.hide(spellings, text, value) for text, value in texts.items()}
        if hidden == texts:
            continue
        this = key == row[at.key]
        if at.whole:
            connection.execute(at.table.delete().where(this, *(at.table.c[text] == value for text, value in texts.items())))
            continue
        followed = {"revision": raised(connection)} if "revision" in at.table.c else {}
        connection.execute(at.table.update().where(this).values(hidden | followed))
        if at.table is calls:
            changed.append(str(row[at.key]))
    return changed


def old_dials(connection: sa.Connection, before: datetime) -> list[str]:
    """The tags of a batch of closed dials older than `before` that have a number."""
    slot_over = dials.c.slot_until.is_(None) | (dials.c.slot_until <= milliseconds(before))
    named = dials.c.to_number.not_like(_MASKED)
    call_over = ~sa.exists().where(calls.c.tag == dials.c.tag, calls.c.status != CallStatus.ENDED.value)
    old = sa.select(dials.c.tag).where(dials.c.dialled_at <= milliseconds(before), named, _CLOSED, slot_over, call_over)
    return list(connection.execute(old.limit(_BATCH)).scalars())


def hide_dials(connection: sa.Connection, tags: Sequence[str]) -> None:
    """Masks the numbers of these dials."""
    for row in connection.execute(sa.select(dials).where(dials.c.tag.in_(tags))).all():
        order = replace(load_order(row.asked), to=masked(row.to_number), sip_uri=None)
        values = {"to_number": masked(row.to_number), "asked": dump(order), "first_call": None}
        connection.execute(dials.update().where(dials.c.tag == row.tag).values(values))


def old_audit(connection: sa.Connection, before: datetime) -> list[list[int]]:
    """The ids of audit rows older than `before` that may have a number, in batches."""
    named = audit.c.to_number.not_like(_MASKED) | audit.c.detail.contains("+") | audit.c.words.contains("+")
    ids = list(connection.execute(sa.select(audit.c.id).where(audit.c.at <= milliseconds(before), named)).scalars())
    return [ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)]


def hide_audit(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Masks the numbers of these audit rows."""
    for row in connection.execute(sa.select(audit).where(audit.c.id.in_(ids))).all():
        to = masked(row.to_number) if row.to_number else row.to_number
        values = {"to_number": to, "detail": hide_numbers(row.detail), "words": hide_numbers(row.words)}
        connection.execute(audit.update().where(audit.c.id == row.id).values(values))
