"""What came with an event of the page. A browser sends what our scripts make, but whoever may open the page can send anything."""

import math
from collections.abc import Mapping
from typing import Any

from nicegui.events import GenericEventArguments


def fields_of(event: GenericEventArguments) -> Mapping[str, Any]:
    """What a form sent, by name; empty if it is none."""
    return event.args if isinstance(event.args, dict) else {}


def text_of(event: GenericEventArguments) -> str:
    """The text of a field; empty if it is none."""
    return event.args if isinstance(event.args, str) else ""


def number(value: object) -> float | None:
    """A finite number; None if it is none."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def repeats(event: GenericEventArguments) -> bool:
    """True if this click is not the first of several in a row: a double click is one press. The event is sent with `detail`."""
    clicks = fields_of(event).get("detail")
    return not isinstance(clicks, int) or clicks > 1
