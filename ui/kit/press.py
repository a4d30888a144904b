"""Whether a press still counts when it reaches the server. After a delay the user may no longer want it."""

import math
import time
from pathlib import Path

from nicegui import Client

from ui.kit.given import number

PRESS = Path(__file__).with_name("press.js")
"""For a form's component, which imports `press`."""

_TOO_OLD_S = 3.0
_ASK_TIMEOUT_S = 3.0  # for asking the browser for the time
_NOW = "return [Date.now(), performance.now()]"
_CLOCKS = 2


async def came_late(page: Client, clocks: object) -> bool:
    """True if a press on `page` is too old: its age by the browser's clocks plus the time the browser took to say what they show.
    `clocks` are those of `Press` in press.js. The later one counts: one may be set, the other may stop while a laptop sleeps.

    The page is asked, not the form: that may be gone by then, since the user shows another call.
    """
    if not isinstance(clocks, list) or len(clocks) != _CLOCKS:
        return True
    asked_at = time.monotonic()
    try:
        now = await page.run_javascript(_NOW, timeout=_ASK_TIMEOUT_S)
    except TimeoutError:
        return True
    if not isinstance(now, list) or len(now) != _CLOCKS:  # the tab is closed
        return True
    age_ms = max(_age_ms(shown, then) for shown, then in zip(now, clocks, strict=True))
    return age_ms / 1000 + time.monotonic() - asked_at > _TOO_OLD_S


def _age_ms(shown: object, then: object) -> float:
    """The time between two readings of a clock; infinite if either is not a number."""
    end, begin = number(shown), number(then)
    return math.inf if end is None or begin is None else end - begin
