"""How many calls may be placed."""

from dataclasses import dataclass, replace
from datetime import timedelta

from services.domain.caps import Window
from services.domain.client import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps on the dials of the last hour and the last 24 hours, on simultaneous calls, and how soon a client may dial a number again.
    With `one_per_number`, nobody may dial a number that has a running call. `own` are the caps on the dials of the person with the id
    `person`: those that they placed or confirmed. Earlier versions wrote down their name instead, `person_name`.

    They apply to all processes that share the journal. None: no limit.
    """

    per_hour: int | None = None
    per_day: int | None = None
    at_once: int | None = None
    duplicate_window: timedelta | None = None
    one_per_number: bool = False
    person: str = ""
    person_name: str = ""
    own: tuple[tuple[Window, int], ...] = ()

    def of(self, client: Client) -> "Limits":
        """These limits and the caps of the client, or of the person who confirmed the dial."""
        who = client.confirmed_by or client
        return replace(self, person=who.person, person_name=who.name, own=client.caps.on_calls())
