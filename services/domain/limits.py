"""How many calls may be placed."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps on the dials of the last hour and the last 24 hours, on simultaneous calls, and how soon a client may dial a number again.
    With `one_per_number`, nobody may dial a number that has a running call.

    They apply to all processes that share the journal. None: no limit.
    """

    per_hour: int | None = None
    per_day: int | None = None
    at_once: int | None = None
    duplicate_window: timedelta | None = None
    one_per_number: bool = False
