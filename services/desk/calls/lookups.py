"""Reads calls that only Vapi may know, so that nobody can make Earshot flood Vapi by ids that do not exist."""

import time
from collections import deque
from collections.abc import Awaitable, Callable

from services.domain.call import Call
from services.domain.client import Client
from services.domain.errors import CallNotFound, LimitReached
from services.support.recent import remember

LONGEST_ID = 100
"""Most characters of an id that Vapi is asked about. Its own ids have 36."""
MISS_S = 10.0
"""Seconds for which an id that Vapi does not know is not asked again."""
PER_MINUTE = 60
"""Requests to Vapi that one client may cause, by ids that Earshot does not know, for files of calls, and for assistants that take over."""
_MINUTE_S = 60.0


class Lookups:
    """`read` reads a call from Vapi. `clock` is in seconds."""

    def __init__(self, read: Callable[[str], Awaitable[Call]], clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._missed: dict[str, float] = {}
        self._asked: dict[str, deque[float]] = {}

    async def read(self, call_id: str, client: Client) -> Call:
        """The call from Vapi. Raises CallNotFound, LimitReached if the client has caused too many requests, and VapiError."""
        if len(call_id) > LONGEST_ID:  # it would be sent as a part of an address
            raise CallNotFound()
        now = self._clock()
        if now - self._missed.get(call_id, -MISS_S) < MISS_S:
            raise CallNotFound()
        self.count(client)
        try:
            return await self._read(call_id)
        except CallNotFound:
            remember(self._missed, call_id, now)
            raise

    def count(self, client: Client) -> None:
        """Counts a request that `client` causes. Raises LimitReached after PER_MINUTE."""
        now = self._clock()
        asked = self._asked.get(client.name, deque())
        remember(self._asked, client.name, asked)
        while asked and now - asked[0] >= _MINUTE_S:
            asked.popleft()
        if len(asked) >= PER_MINUTE:
            raise LimitReached(
                f"At most {PER_MINUTE} requests in a minute for which Earshot has to ask Vapi.", retry_after=asked[0] + _MINUTE_S - now
            )
        asked.append(now)
