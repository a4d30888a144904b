"""An order and its call. Apart from the fixtures, because a forked process needs these and not pytest."""

import secrets
from datetime import UTC, datetime

from services.domain.call import Call, CallOrder, CallStatus


def an_order(to: str = "+14155552671", **fields: object) -> CallOrder:
    return CallOrder(to=to, assistant_id="assistant", phone_number_id="phone", tag=secrets.token_hex(8), **fields)  # type: ignore[arg-type]


def an_order_of(tag: str) -> CallOrder:
    return CallOrder(to="+14155552671", assistant_id="assistant", phone_number_id="phone", tag=tag)


def a_call(order: CallOrder, *, id_: str = "call-1", status: CallStatus = CallStatus.QUEUED) -> Call:
    return Call(id=id_, status=status, to=order.to, tag=order.tag, created_at=datetime(2026, 9, 1, 10, tzinfo=UTC))
