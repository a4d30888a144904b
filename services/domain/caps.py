"""What limits one person within their role. Each cap stands here once: the journal, REST and the page's form take its name, kind and words
from here. Pure.

Add a field to Caps, and its label to `words/`: caps on calls are then counted, too. Other caps are enforced where their field is read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from enum import StrEnum
from typing import Any

from services.domain.errors import RequestError

MOST_CALLS = 100_000


class Kind(StrEnum):
    CALLS = "calls"
    """So many calls and transfers within a window of time; None: no limit."""
    REGIONS = "regions"
    """Calls to these countries only, as ISO 3166 codes; None: to all."""
    RIGHT = "right"
    """Whether something may be done that the role allows."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time in which calls are counted. `words` and `code` say that a cap is reached."""

    length: timedelta
    words: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """One of the caps. `name` is its field, `says` what REST says of it, `window` that of a cap on calls."""

    name: str
    kind: Kind
    says: str
    window: Window | None = None


def _cap(kind: Kind, says: str, window: Window | None = None) -> Any:
    return field(default=True if kind is Kind.RIGHT else None, metadata={"kind": kind, "says": says, "window": window})


_HOUR = Window(timedelta(hours=1), "in an hour", "own_hourly_limit")
_DAY = Window(timedelta(hours=24), "in 24 hours", "own_daily_limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """Limits of one person within their role. None: only the limits for everybody apply."""

    per_hour: int | None = _cap(Kind.CALLS, "Calls and transfers in any hour", _HOUR)
    per_day: int | None = _cap(Kind.CALLS, "Calls and transfers in any 24 hours", _DAY)
    regions: frozenset[str] | None = _cap(Kind.REGIONS, "ISO 3166 codes of the countries to call")
    record: bool = _cap(Kind.RIGHT, "May record calls, if the role may")
    transfer: bool = _cap(Kind.RIGHT, "May transfer calls, if the role may")

    def on_calls(self) -> tuple[tuple[Window, int], ...]:
        """The caps on calls that this person has."""
        return tuple((cap.window, most) for cap in CAPS if cap.window and (most := getattr(self, cap.name)) is not None)


CAPS = tuple(Cap(name=one.name, **one.metadata) for one in fields(Caps))


def checked(caps: Caps) -> Caps:
    """Raises RequestError for caps that can't be."""
    if any(not 0 <= most <= MOST_CALLS for _, most in caps.on_calls()):
        raise RequestError(f"A limit on calls is 0 to {MOST_CALLS}.", code="invalid_caps")
    if caps.regions is not None and not (caps.regions and all(re.fullmatch("[A-Z]{2}", region, re.ASCII) for region in caps.regions)):
        raise RequestError("Countries are ISO 3166 codes such as US and GB.", code="invalid_caps")
    return caps


def caps_to_json(caps: Caps) -> dict[str, Any]:
    """The caps by their names, as values of JSON."""
    values = {cap.name: getattr(caps, cap.name) for cap in CAPS}
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in values.items()}


def caps_from_json(values: Mapping[str, Any]) -> Caps:
    """Reads what `caps_to_json` made, also in an earlier version that had fewer caps.

    Raises TypeError for a cap that only a newer version knows: to ignore it would allow more than an owner wanted.
    """
    read: dict[str, Any] = {name: frozenset(value) if isinstance(value, list) else value for name, value in values.items()}
    return Caps(**read)
