"""Login sessions, and limits on guessing the password."""

import asyncio
import hashlib
import ipaddress
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

COOKIE = "earshot_session"

_IDLE = 12 * 3600.0  # seconds
_LONGEST = 7 * 24 * 3600.0
_MOST = 1000
_FREE_TRIES = 5
_LONGEST_WAIT = 900.0  # seconds
_LONGEST_SHARED_WAIT = 8.0
_FORGOTTEN = 3600.0
_EVERYBODY = ""
_MOST_ADDRESSES = 1000

Clock = Callable[[], float]


@dataclass(slots=True)
class _Session:
    begun: float
    used: float
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Sessions:
    """Sessions of the page, in memory: a restart logs everybody out. Only hashes of the ids are kept."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._sessions: OrderedDict[bytes, _Session] = OrderedDict()

    def begin(self) -> str:
        """Creates a session and returns its id, for a cookie. Ends the oldest session if there are too many."""
        session = secrets.token_urlsafe(32)
        now = self._clock()
        self._sessions[_hash(session)] = _Session(now, now)
        if len(self._sessions) > _MOST:
            self._end(next(iter(self._sessions)))
        return session

    def check(self, session: str) -> bool:
        """True if the session is valid. Each check extends it to 12 hours from now, at most 7 days in total."""
        key, now = _hash(session), self._clock()
        found = self._sessions.get(key)
        if found is None:
            return False
        if now - found.begun >= _LONGEST or now - found.used >= _IDLE:
            self._end(key)
            return False
        found.used = now
        return True

    def end(self, session: str) -> None:
        """Logs out, in every tab."""
        self._end(_hash(session))

    async def over(self, session: str) -> None:
        """Returns once the session has ended, by a logout or after 7 days."""
        found = self._sessions.get(_hash(session))
        if found is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(found.begun + _LONGEST - self._clock()):
                await found.over.wait()

    def _end(self, key: bytes) -> None:
        if found := self._sessions.pop(key, None):
            found.over.set()


class Attempts:
    """Slows down guessing: after five wrong passwords from an address, each further one doubles the wait, up to 15 minutes.

    After a hundred wrong passwords from any address, all addresses wait too, since an attacker may have many; but only seconds, since the
    owner has to wait as well. Failures expire after an hour without one.

    `longest_wait` is in seconds. With `shared=False`, only addresses that failed wait.
    """

    def __init__(self, clock: Clock = time.monotonic, *, longest_wait: float = _LONGEST_WAIT, shared: bool = True) -> None:
        self._clock = clock
        self._longest_wait = longest_wait
        self._shared = shared
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds until the address may try again; 0 if it may now."""
        alone = self._wait(_network(address), free=_FREE_TRIES, longest=self._longest_wait)
        if not self._shared:
            return alone
        return max(alone, self._wait(_EVERYBODY, free=20 * _FREE_TRIES, longest=_LONGEST_SHARED_WAIT))

    def failed(self, address: str) -> None:
        now = self._clock()
        for who in (_network(address), _EVERYBODY):
            count, last = self._failures.pop(who, (0, now))
            self._failures[who] = (1 if now - last >= _FORGOTTEN else count + 1, now)
        while len(self._failures) > _MOST_ADDRESSES:
            self._failures.popitem(last=False)

    def succeeded(self, address: str) -> None:
        self._failures.pop(_network(address), None)

    def _wait(self, who: str, *, free: int, longest: float) -> float:
        count, last = self._failures.get(who, (0, 0.0))
        if count < free or self._clock() - last >= _FORGOTTEN:
            return 0.0
        return max(0.0, last + min(2.0 ** min(count - free, 10), longest) - self._clock())


def _network(address: str) -> str:
    """The network that counts as one address: with IPv6 a /64, within which addresses can be chosen at will."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else address


def _hash(session: str) -> bytes:
    return hashlib.sha256(session.encode(errors="replace")).digest()
