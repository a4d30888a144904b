"""Whether a press still counts when the server hears of it: one that comes late may not be what its presser still wants."""

import time
from pathlib import Path

from nicegui.element import Element

PRESS = Path(__file__).with_name("press.js")
"""For the component of a form: it imports `press`."""

_TOO_OLD = 3.0  # seconds
_ASKING = 3.0  # seconds for which the browser is asked how old a press is


async def came_late(form: Element) -> bool:
    """Whether the last press in `form` is too old by the browser's own clock (its method `age`), and the time that its answer took."""
    asked_at = time.monotonic()
    try:
        age = await form.run_method("age", timeout=_ASKING)
    except TimeoutError:
        return True
    return age is None or float(age) + time.monotonic() - asked_at > _TOO_OLD
