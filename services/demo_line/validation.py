"""Validates requests as Vapi does: one Refusal lists every error, in Vapi's words."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from operator import ge, gt, le, lt
from typing import Any
from uuid import UUID

from services.demo_line.numbers import EXAMPLE_NUMBER
from services.demo_line.responses import Body, Refusal
from services.demo_line.voicemail import voicemail_errors

# OpenAPI, CreateCallDTO. It has no `metadata`.
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

# North American numbers have ten digits after +1. Of other numbers only the length is checked.
_E164 = re.compile(r"\+(?:1[2-9]\d{9}|[2-9]\d{6,14})", re.ASCII)
_NUMBER_UNCHECKED = re.compile(r"\+?[a-zA-Z0-9]{3,40}")
_NOT_E164 = "customer.number must be a valid phone number in the E.164 format. Hot tip, you may be missing the country code (Eg. US: +1)."

_MOMENT = re.compile(r"(createdAt|updatedAt)(Gt|Lt|Ge|Le)")
_COMPARE: Mapping[str, Callable[[datetime, datetime], bool]] = {"Gt": gt, "Lt": lt, "Ge": ge, "Le": le}
_DEFAULT_LIMIT, _MAX_LIMIT = 100, 1000


def check_order(body: Any) -> Body:
    """The body of a POST /call without its nulls. Workflows are not supported."""
    order = _without_nulls(body)
    errors = [f"property {name} should not exist" for name in order if name not in _ORDER_FIELDS]
    errors += [
        f"{name} must be a UUID" for name in ("assistantId", "phoneNumberId", "squadId") if name in order and not _is_uuid(order[name])
    ]
    errors += _too_long("name", order.get("name"), 40)
    errors += [
        f"{name} must be an object"
        for name in ("assistant", "assistantOverrides", "squad", "squadOverrides")
        if not isinstance(order.get(name, {}), dict)
    ]
    errors += voicemail_errors(overrides_of(order))
    if "schedulePlan" in order and earliest_at(order) is None:
        errors.append("schedulePlan.earliestAt must be a valid ISO 8601 date string")
    if "customer" in order:
        errors += _customer_errors(order["customer"])
    if not isinstance(order.get("customers", []), list):
        errors.append("customers must be an array")
    if errors:
        raise Refusal(400, errors)
    if not {"assistantId", "assistant", "squadId", "squad"} & order.keys():
        raise Refusal(400, "Couldn't Start Call. Need Either `assistant`, `assistantId`, `squad`, Or `squadId`.")
    if "phoneNumberId" not in order:
        raise Refusal(400, "Couldn't Start Call. Need `phoneNumberId`.")
    if "customer" not in order and "customers" not in order:
        raise Refusal(400, "Couldn't Start Call. Need `customer`.")
    return order


def batch_of(order: Body) -> tuple[list[Body], list[Body]]:
    """The orders of a batch, one for each of its customers, and an error for each customer that can't be called."""
    rest = {name: value for name, value in order.items() if name != "customers"}
    errors = [(customer, _customer_errors(customer)) for customer in order["customers"]]
    good = [rest | {"customer": customer} for customer, found in errors if not found]
    bad = [{"customer": customer if isinstance(customer, dict) else {}, "error": "; ".join(found)} for customer, found in errors if found]
    return good, bad


def check_changes(body: Any) -> Body:
    """The body of a PATCH /call/{id}: only its name can be changed."""
    changes = _without_nulls(body)
    errors = [f"property {name} should not exist" for name in changes if name != "name"]
    errors += _too_long("name", changes.get("name"), 40)
    if errors:
        raise Refusal(400, errors)
    return changes


def overrides_of(order: Body) -> Body:
    """What the order changes in the assistants that speak."""
    found = order.get("squadOverrides" if {"squad", "squadId"} & order.keys() else "assistantOverrides")
    return found if isinstance(found, dict) else {}


def earliest_at(order: Body) -> datetime | None:
    """When the call may begin, UTC; None if the order does not say or the time is invalid."""
    plan = order.get("schedulePlan")
    return _moment(plan.get("earliestAt")) if isinstance(plan, dict) else None


def max_seconds(order: Body) -> float:
    """Maximum duration in seconds from the answer (OpenAPI: `maxDurationSeconds`, 600 by default)."""
    seconds = overrides_of(order).get("maxDurationSeconds")
    return float(seconds) if isinstance(seconds, int | float) else 600.0


def _customer_errors(customer: Any) -> list[str]:
    if not isinstance(customer, dict):
        return ["customer must be an object"]
    number, sip_uri = customer.get("number"), customer.get("sipUri")
    checked = customer.get("numberE164CheckEnabled", True)
    valid = isinstance(number, str) and (number == EXAMPLE_NUMBER or (_E164 if checked else _NUMBER_UNCHECKED).fullmatch(number))
    return [
        *(f"customer.property {name} should not exist" for name in customer if name not in _CUSTOMER_FIELDS),
        *([] if valid or (number is None and _is_sip(sip_uri)) else [_NOT_E164]),
        *_too_long("customer.name", customer.get("name"), 40),
        *_too_long("customer.extension", customer.get("extension"), 10),
    ]


def _is_sip(uri: Any) -> bool:
    return isinstance(uri, str) and bool(re.fullmatch(r"sips?:[^\s@]{1,100}@[^\s@]{1,100}", uri))


def check_control(body: Any) -> Body:
    """The body of a POST to a control URL without its nulls."""
    control = _without_nulls(body)
    kind = control.get("type")
    if kind == "end-call":
        return control
    if not isinstance(kind, str) or kind not in _CONTROL_FIELD:
        raise Refusal(400, [f"type must be one of the following values: {', '.join([*_CONTROL_FIELD, 'end-call'])}"])
    field, field_type = _CONTROL_FIELD[kind]
    if not isinstance(control.get(field), field_type):
        raise Refusal(400, [f"{field} must be {'a string' if field_type is str else 'an object'}"])
    if kind == "control" and control["control"] not in _CONTROLS:
        raise Refusal(400, [f"control must be one of the following values: {', '.join(_CONTROLS)}"])
    return control


def select(bodies: Iterable[Body], query: Mapping[str, str], *, by: Collection[str] = ()) -> list[Body]:
    """The bodies that match a list's query, in the order given: equal in the fields `by`, within the time bounds, at most `limit`."""
    errors: list[str] = []
    chosen = list(bodies)
    limit = _DEFAULT_LIMIT
    for name, value in query.items():
        if name == "limit":
            limit = int(value) if re.fullmatch(r"[0-9]{1,9}", value) else -1
            if not 0 <= limit <= _MAX_LIMIT:
                errors.append(f"limit must be a whole number from 0 to {_MAX_LIMIT}")
        elif name in by:
            chosen = [body for body in chosen if body.get(name) == value]
        elif bound := _MOMENT.fullmatch(name):
            if moment := _moment(value):
                field, compare = bound[1], _COMPARE[bound[2]]
                chosen = [body for body in chosen if compare(datetime.fromisoformat(body[field]), moment)]
            else:
                errors.append(f"{name} must be a valid ISO 8601 date string")
        else:
            errors.append(f"property {name} should not exist")
    if errors:
        raise Refusal(400, errors)
    return chosen[:limit]


def _without_nulls(body: Any) -> Body:
    if not isinstance(body, dict):
        raise Refusal(400, ["body must be an object"])
    return {name: value for name, value in body.items() if value is not None}


def _too_long(name: str, value: Any, longest: int) -> list[str]:
    fits = value is None or (isinstance(value, str) and len(value) <= longest)
    return [] if fits else [f"{name} must be shorter than or equal to {longest} characters"]


def _moment(value: Any) -> datetime | None:
    """A time; UTC if it names no zone. An unescaped `+` of a query (`+00:00`) arrives as a space."""
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
