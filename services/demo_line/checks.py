"""Whether a request makes sense, said as Vapi says it: one Refusal with every complaint in it."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from operator import ge, gt, le, lt
from typing import Any
from uuid import UUID

from services.demo_line.answers import Body, Refusal
from services.demo_line.numbers import EXAMPLE_NUMBER

# OpenAPI, CreateCallDTO. `metadata` is not among them.
_ORDER_FIELDS = frozenset(
    {"assistant", "assistantId", "assistantOverrides", "assistantVersion", "customer", "customerId", "customers", "name", "phoneNumber"}
    | {"phoneNumberId", "schedulePlan", "squad", "squadId", "squadOverrides", "squadVersion", "transport"}
    | {"workflow", "workflowId", "workflowOverrides"}
)
_CUSTOMER_FIELDS = frozenset(
    {"assistantOverrides", "email", "extension", "externalId", "name", "number", "numberE164CheckEnabled", "sipUri", "squadOverrides"}
)
_CONTROLS = ("mute-assistant", "unmute-assistant", "mute-customer", "unmute-customer", "say-first-message")
_CONTROL_FIELD: Mapping[str, tuple[str, type]] = {
    "say": ("content", str),
    "add-message": ("message", dict),
    "control": ("control", str),
    "transfer": ("destination", dict),
    "handoff": ("destination", dict),
    "send-transport-message": ("message", dict),
}

# North American numbers have ten digits after +1; of the others only the bounds are known here.
_E164 = re.compile(r"\+(?:1[2-9]\d{9}|[2-9]\d{6,14})", re.ASCII)
_NUMBER_UNCHECKED = re.compile(r"\+?[a-zA-Z0-9]{3,40}")
_NOT_E164 = "customer.number must be a valid phone number in the E.164 format. Hot tip, you may be missing the country code (Eg. US: +1)."

_MOMENT = re.compile(r"(createdAt|updatedAt)(Gt|Lt|Ge|Le)")
_COMPARE: Mapping[str, Callable[[datetime, datetime], bool]] = {"Gt": gt, "Lt": lt, "Ge": ge, "Le": le}
_DEFAULT_LIMIT, _MAX_LIMIT = 100, 1000


def check_order(body: Any) -> Body:
    """A POST /call's body without its nulls. One call by `assistantId` or `assistant` is all that this line places."""
    order = _without_nulls(body)
    wrong = [f"property {name} should not exist" for name in order if name not in _ORDER_FIELDS]
    wrong += [f"{name} must be a UUID" for name in ("assistantId", "phoneNumberId") if name in order and not _is_uuid(order[name])]
    wrong += _too_long("name", order.get("name"), 40)
    if not isinstance(order.get("assistantOverrides", {}), dict):
        wrong.append("assistantOverrides must be an object")
    if "schedulePlan" in order and earliest_at(order) is None:
        wrong.append("schedulePlan.earliestAt must be a valid ISO 8601 date string")
    if "customer" in order:
        wrong += _customer_complaints(order["customer"])
    if wrong:
        raise Refusal(400, wrong)
    if "assistantId" not in order and "assistant" not in order:
        raise Refusal(400, "Couldn't Start Call. Need Either `assistant`, `assistantId`, `squad`, Or `squadId`.")
    if "phoneNumberId" not in order:
        raise Refusal(400, "Couldn't Start Call. Need `phoneNumberId`.")
    if "customer" not in order:
        raise Refusal(400, "Couldn't Start Call. Need `customer`.")
    return order


def earliest_at(order: Body) -> datetime | None:
    """When the call may begin, UTC; None if the order does not say, or not in a way that can be understood."""
    plan = order.get("schedulePlan")
    return _moment(plan.get("earliestAt")) if isinstance(plan, dict) else None


def max_seconds(order: Body) -> float:
    """How long the call may last once answered (OpenAPI: `maxDurationSeconds`, 600 by default)."""
    wanted = (order.get("assistantOverrides") or {}).get("maxDurationSeconds")
    return float(wanted) if isinstance(wanted, int | float) else 600.0


def _customer_complaints(customer: Any) -> list[str]:
    if not isinstance(customer, dict):
        return ["customer must be an object"]
    number = customer.get("number")
    checked = customer.get("numberE164CheckEnabled", True)
    valid = isinstance(number, str) and (number == EXAMPLE_NUMBER or (_E164 if checked else _NUMBER_UNCHECKED).fullmatch(number))
    return [
        *(f"customer.property {name} should not exist" for name in customer if name not in _CUSTOMER_FIELDS),
        *([] if valid else [_NOT_E164]),
        *_too_long("customer.name", customer.get("name"), 40),
        *_too_long("customer.extension", customer.get("extension"), 10),
    ]


def check_control(body: Any) -> Body:
    """The body of a POST to a control URL."""
    control = _without_nulls(body)
    kind = control.get("type")
    if kind == "end-call":
        return control
    if not isinstance(kind, str) or kind not in _CONTROL_FIELD:
        raise Refusal(400, [f"type must be one of the following values: {', '.join([*_CONTROL_FIELD, 'end-call'])}"])
    field, wanted = _CONTROL_FIELD[kind]
    if not isinstance(control.get(field), wanted):
        raise Refusal(400, [f"{field} must be {'a string' if wanted is str else 'an object'}"])
    if kind == "control" and control["control"] not in _CONTROLS:
        raise Refusal(400, [f"control must be one of the following values: {', '.join(_CONTROLS)}"])
    return control


def select(bodies: Iterable[Body], query: Mapping[str, str], *, by: Collection[str] = ()) -> list[Body]:
    """The bodies that a list's query asks for, in the order given: equal in the fields `by`, within bounds of time, at most `limit`."""
    wrong: list[str] = []
    chosen = list(bodies)
    limit = _DEFAULT_LIMIT
    for name, value in query.items():
        if name == "limit":
            limit = int(value) if re.fullmatch(r"[0-9]{1,9}", value) else -1
            if not 0 <= limit <= _MAX_LIMIT:
                wrong.append(f"limit must be a whole number from 0 to {_MAX_LIMIT}")
        elif name in by:
            chosen = [body for body in chosen if body.get(name) == value]
        elif bound := _MOMENT.fullmatch(name):
            if moment := _moment(value):
                field, compare = bound[1], _COMPARE[bound[2]]
                chosen = [body for body in chosen if compare(datetime.fromisoformat(body[field]), moment)]
            else:
                wrong.append(f"{name} must be a valid ISO 8601 date string")
        else:
            wrong.append(f"property {name} should not exist")
    if wrong:
        raise Refusal(400, wrong)
    return chosen[:limit]


def _without_nulls(body: Any) -> Body:
    if not isinstance(body, dict):
        raise Refusal(400, ["body must be an object"])
    return {name: value for name, value in body.items() if value is not None}


def _too_long(name: str, value: Any, most: int) -> list[str]:
    fits = value is None or (isinstance(value, str) and len(value) <= most)
    return [] if fits else [f"{name} must be shorter than or equal to {most} characters"]


def _moment(value: Any) -> datetime | None:
    """A query's `+00:00` that was not escaped arrives as a space. Without a zone it is UTC."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(re.sub(r" (?=\d\d:?\d\d$)", "+", value))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_uuid(value: Any) -> bool:
    try:
        return bool(str(UUID(value)) == value.lower())
    except (ValueError, TypeError, AttributeError):
        return False
