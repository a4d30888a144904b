"""Notes in the audit who hears a recording."""

import time
from collections.abc import Callable

from services.domain.call import Call
from services.domain.client import Client
from services.support.recent import remember

_STILL_PLAYING_S = 3600.0  # after a request; one that comes later is noted again


class Hearings:
    """A player fetches a file in many ranges, and only its first request is noted. `clock` is in seconds.

    A request for a later part is noted as well if its client has not asked for this recording lately: it may be for nearly all of it.
    """

    def __init__(self, note: Callable[[Client, str, Call], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._note = note
        self._clock = clock
        self._asked: dict[tuple[str, str, str], float] = {}

    def fetched(self, client: Client, action: str, call: Call, *, begins: bool) -> None:
        """Notes `action`, unless the request continues another. `begins`: whether it is for the beginning or the whole."""
        key, now = (client.name, action, call.id), self._clock()
        last = self._asked.get(key)
        remember(self._asked, key, now)
        if begins or last is None or now - last >= _STILL_PLAYING_S:
            self._note(client, action, call)
