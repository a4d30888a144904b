"""Whether a press still counts when it reaches the server. After a delay the user may no longer want it."""

import time
from pathlib import Path

from nicegui.element import Element

PRESS = Path(__file__).with_name("press.js")
"""For a form's component, which imports `press`."""

_TOO_OLD_S = 3.0
_ASK_TIMEOUT_S = 3.0  # for asking the browser how old a press is


async def came_late(form: Element) -> bool:
    """True if the last press in `form` is too old: its age by the browser's clock (method `age`) plus the time the answer took."""
    asked_at = time.monotonic()
    try:
        age = await form.run_method("age", timeout=_ASK_TIMEOUT_S)
    except TimeoutError:
        return True
    return age is None or float(age) + time.monotonic() - asked_at > _TOO_OLD_S
