"""Reads single values of Vapi's JSON leniently: what is missing, of another type, or beyond all sense is None. Never raises."""

import math
import re
from datetime import UTC, datetime
from typing import Any

from services.domain.text import clean_text

NAME = 200
"""Maximum characters of a name or code. Vapi allows 40 in a name."""
WORDS = 8_000
"""Maximum characters of a line of talk or a summary."""

_YEARS = range(1970, 2200)  # arithmetic with times near year 1 or 9999 overflows
_MOST_DOLLARS = 1e6


def table(value: Any) -> dict[str, Any]:
    """A JSON object; empty if `value` is none."""
    return value if isinstance(value, dict) else {}


def rows(value: Any, *, most: int) -> list[Any]:
    """The first `most` entries of a JSON list; empty if `value` is none."""
    return value[:most] if isinstance(value, list) else []


def text(value: Any, *, most: int = NAME) -> str | None:
    """Text that can be stored and shown, at most `most` characters; None if nothing is left of it."""
    return clean_text(value, most=most) or None if isinstance(value, str) else None


def identifier(value: Any) -> str | None:
    """A possible id: up to 200 visible ASCII characters without spaces."""
    return value if isinstance(value, str) and re.fullmatch(r"[!-~]{1,200}", value) else None


def number(value: Any) -> float | None:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def dollars(value: Any) -> float | None:
    """A price in US dollars."""
    found = number(value)
    return found if found is not None and 0 <= found <= _MOST_DOLLARS else None


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
