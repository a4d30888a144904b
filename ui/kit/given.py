"""Reads what came with an event of the page. Our scripts send the expected types, but anybody who can open the page can send anything."""

import math
from collections.abc import Mapping
from typing import Any

from nicegui.events import GenericEventArguments


def fields_of(event: GenericEventArguments) -> Mapping[str, Any]:
    """The fields of a form by name; empty if the browser sent something else."""
    return event.args if isinstance(event.args, dict) else {}


def text_of(event: GenericEventArguments) -> str:
    """The text of a field; empty if the browser sent something else."""
    return event.args if isinstance(event.args, str) else ""


def number(value: object) -> float | None:
    """`value` if it is a finite number, else None."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def repeats(event: GenericEventArguments) -> bool:
    """True if this click is not the first of several in a row: a double click is one press. The event is sent with `detail`."""
    clicks = fields_of(event).get("detail")
    return not isinstance(clicks, int) or clicks > 1
