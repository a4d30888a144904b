"""The outcomes of dials, written down after Vapi's answer. Many in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.domain.call import Call
from services.journal.database.codec import dump
from services.journal.database.schema import dials
from services.journal.records import AuditRow, DialState
from services.journal.tables import audit
from services.journal.tables.calls import save
from services.journal.tables.dials import COUNTED, NO_KEY, Beginning
from services.journal.tables.slots import release


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The outcome of a dial."""

    tag: str
    call: Call | None
    state: DialState
    note: AuditRow | None
    now: datetime


_SETTLE = (
    dials.update()
    .where(dials.c.tag == sa.bindparam("of"), COUNTED)
    .values(
        state=sa.case((dials.c.state == DialState.PLACED.value, dials.c.state), else_=sa.bindparam("now_state", type_=sa.String)),
        call_id=sa.func.coalesce(sa.bindparam("now_id", type_=sa.String), dials.c.call_id),
        first_call=sa.case(
            (dials.c.key.is_not(None), sa.func.coalesce(dials.c.first_call, sa.bindparam("now_call", type_=sa.String))),
            else_=None,
        ),
    )
)
"""The first call stays, and a placed dial stays placed: a late settlement by another process changes neither."""


_REFUSE = (
    dials.update()
    .where(dials.c.state != DialState.PLACED.value)
    .values({"state": DialState.REFUSED.value, "slot_until": None, "hang_up_by": None, **NO_KEY})
)
"""Nothing was placed: frees the slot and the key."""


def settle(connection: sa.Connection, settlements: Sequence[Settlement]) -> None:
    """Records each dial's outcome, call and audit row, atomically."""
    if refused := [item.tag for item in settlements if item.state is DialState.REFUSED]:
        connection.execute(_REFUSE.where(dials.c.tag.in_(refused)))
    if known := [_outcome(item) for item in settlements if item.state is not DialState.REFUSED]:
        connection.execute(_SETTLE, known)
    over = [item.tag for item in settlements if item.state is DialState.LOST or (item.call and not item.call.running)]
    if over:
        release(connection, over)
    save(connection, [(item.call, item.now) for item in settlements if item.call])
    if notes := [item.note for item in settlements if item.note]:
        audit.note(connection, notes)


def take_back(connection: sa.Connection, begun: Sequence[Beginning]) -> None:
    """Marks dials as refused that may have been written down, but will not be dialled. Not those of other processes: the tag of a call
    that is moved is the same in all, and another one may be dialling it.
    """
    own = sa.tuple_(dials.c.tag, dials.c.instance)
    connection.execute(_REFUSE.where(own.in_([(item.order.tag, item.instance) for item in begun])))


def _outcome(item: Settlement) -> dict[str, Any]:
    return {
        "of": item.tag,
        "now_state": item.state.value,
        "now_id": item.call.id if item.call else None,
        "now_call": dump(item.call) if item.call else None,
    }
