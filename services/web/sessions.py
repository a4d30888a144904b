"""Who has logged in, and how often somebody may try."""

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

COOKIE = "earshot_session"

_IDLE = 12 * 3600.0  # seconds
_LONGEST = 7 * 24 * 3600.0
_MOST = 1000
_FREE_TRIES = 5
_LONGEST_WAIT = 900.0  # seconds
_MOST_ADDRESSES = 1000

Clock = Callable[[], float]


class Sessions:
    """Sessions of the page, in memory: a restart logs everybody out. Only hashes of the ids are kept."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._sessions: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def begin(self) -> str:
        """A new session's id, for a cookie. The oldest session ends where there are too many."""
        session = secrets.token_urlsafe(32)
        now = self._clock()
        self._sessions[_hash(session)] = (now, now)
        while len(self._sessions) > _MOST:
            self._sessions.popitem(last=False)
        return session

    def check(self, session: str) -> bool:
        """Whether the session goes on, which asking prolongs: 12 hours from the last time, 7 days in all."""
        key, now = _hash(session), self._clock()
        begun, used = self._sessions.get(key, (-_LONGEST, -_IDLE))
        if now - begun >= _LONGEST or now - used >= _IDLE:
            self._sessions.pop(key, None)
            return False
        self._sessions[key] = (begun, now)
        return True

    def end(self, session: str) -> None:
        """Logs out."""
        self._sessions.pop(_hash(session), None)


class Attempts:
    """Slows guessing down: after five wrong passwords from an address each further one doubles the wait, up to a quarter of an hour.

    All addresses together are slowed down in the same way after a hundred, since an attacker may have many.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds until the address may try again; 0 if it may now."""
        return max(self._wait(address, _FREE_TRIES), self._wait("", 20 * _FREE_TRIES))

    def failed(self, address: str) -> None:
        for who in (address, ""):
            count = self._failures.pop(who, (0, 0.0))[0] + 1
            self._failures[who] = (count, self._clock())
        while len(self._failures) > _MOST_ADDRESSES:
            self._failures.popitem(last=False)

    def succeeded(self, address: str) -> None:
        for who in (address, ""):
            self._failures.pop(who, None)

    def _wait(self, who: str, free: int) -> float:
        count, last = self._failures.get(who, (0, 0.0))
        if count < free:
            return 0.0
        return max(0.0, last + min(2.0 ** min(count - free, 10), _LONGEST_WAIT) - self._clock())


def _hash(session: str) -> bytes:
    return hashlib.sha256(session.encode(errors="replace")).digest()
