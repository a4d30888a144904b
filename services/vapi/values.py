"""Reads single values of Vapi's JSON leniently: what is missing, of another type, or beyond all sense is None. Never raises."""

import json
import math
import re
from datetime import UTC, datetime
from typing import Any

from services.domain.speech import Speaker
from services.domain.text import clean_text

NAME = 200
"""Maximum characters of a name or code. Vapi allows 40 in a name."""
WORDS = 8_000
"""Maximum characters of a line of talk or a summary."""
DATA = 4_000
"""Maximum characters of a tool's arguments or result."""

_SPEAKERS: dict[str, Speaker] = {
    **dict.fromkeys(("user", "customer"), "customer"),
    **dict.fromkeys(("assistant", "bot", "ai"), "assistant"),
}
_YEARS = range(1970, 2200)  # arithmetic with times near year 1 or 9999 overflows
_MOST_DOLLARS = 1e6
_MOST_WHOLE = 2**53  # JavaScript has no larger whole numbers


def table(value: Any) -> dict[str, Any]:
    """A JSON object; empty if `value` is none."""
    return value if isinstance(value, dict) else {}


def rows(value: Any, *, most: int) -> list[Any]:
    """The first `most` entries of a JSON list; empty if `value` is none."""
    return value[:most] if isinstance(value, list) else []


def text(value: Any, *, most: int = NAME) -> str | None:
    """Text that can be stored and shown, at most `most` characters; None if nothing is left of it."""
    return clean_text(value, most=most) or None if isinstance(value, str) else None


def as_text(value: Any, *, most: int) -> str | None:
    """Text as it is, and any other JSON as compact JSON text; None if there is nothing."""
    if value is None or isinstance(value, str):
        return text(value, most=most)
    try:
        return text(json.dumps(value, ensure_ascii=False, separators=(",", ":")), most=most)
    except RecursionError:
        return None


def identifier(value: Any) -> str | None:
    """A possible id: up to 200 visible ASCII characters without spaces."""
    return value if isinstance(value, str) and re.fullmatch(r"[!-~]{1,200}", value) else None


def speaker(role: Any) -> Speaker | None:
    """Who speaks in a `role`; None for the roles of prompts and tools, and for unknown ones."""
    return _SPEAKERS.get(role.lower()) if isinstance(role, str) else None


def number(value: Any) -> float | None:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def amount(value: Any, *, most: float) -> float | None:
    """A number from 0 to `most`."""
    found = number(value)
    return found if found is not None and 0 <= found <= most else None


def plain_json(value: Any, *, most: int, depth: int = 16) -> Any:
    """JSON whose text is clean and whose numbers are finite; compact text cut to `most` characters if it is longer than that as JSON.

    What is nested deeper than `depth` is left out.
    """
    cleaned = _cleaned(value, most, depth)
    whole = json.dumps(cleaned, ensure_ascii=False, separators=(",", ":"))
    return cleaned if len(whole) <= most else text(whole, most=most)


def _cleaned(value: Any, most: int, depth: int) -> Any:
    if isinstance(value, str):
        return clean_text(value, most=most)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return value if abs(value) < _MOST_WHOLE and math.isfinite(value) else None
    if depth == 0:
        return None
    if isinstance(value, list):
        return [_cleaned(item, most, depth - 1) for item in value[:most]]
    if isinstance(value, dict):
        return {clean_text(key, most=NAME): _cleaned(item, most, depth - 1) for key, item in list(value.items())[:most]}
    return None


def dollars(value: Any) -> float | None:
    """A price in US dollars."""
    return amount(value, most=_MOST_DOLLARS)


def time(value: Any) -> datetime | None:
    """UTC, from an ISO 8601 string (UTC if it has no offset) or milliseconds since 1970."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        elif (milliseconds := number(value)) is not None:
            found = datetime.fromtimestamp(milliseconds / 1000, UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.year in _YEARS else None


def first(*values: float | None) -> float | None:
    """The first number that is known."""
    return next((value for value in values if value is not None), None)
