"""Hashes passwords with Argon2, and checks them, in a thread: each takes a few hundredths of a second and 64 MB."""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from pwdlib import PasswordHash

T = TypeVar("T")

SHORTEST, LONGEST = 10, 200
"""Fewest and most characters of a password that somebody chooses."""
_MOST_WAITING = 16


class TooManyWaiting(Exception):
    """Too many passwords wait to be checked."""


class Passwords:
    """Works on one password at a time, so that many that come together take neither all memory nor all processors."""

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Raises TooManyWaiting."""
        return await self._run(_hash, password)

    async def fits(self, password: str, known: str) -> bool:
        """True if `known` is the hash of the password. An empty `known` takes as long to refuse. Raises TooManyWaiting."""
        return await self._run(_fits, password, known)

    async def _run(self, work: Callable[..., T], *args: str) -> T:
        if self._waiting >= _MOST_WAITING:
            raise TooManyWaiting
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                return await asyncio.to_thread(work, *args)
        finally:
            self._waiting -= 1


def _hash(password: str) -> str:
    return _hasher().hash(password)


def _fits(password: str, known: str) -> bool:
    return _hasher().verify(password, known or _nobodys()) and bool(known)


@cache
def _nobodys() -> str:
    """The hash of no password, so that a name that nobody has takes as long to refuse as a wrong password."""
    return _hasher().hash("")


@cache
def _hasher() -> "PasswordHash":
    from pwdlib import PasswordHash

    return PasswordHash.recommended()
