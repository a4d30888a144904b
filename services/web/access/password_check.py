"""Checks a name and a password: those of a person, or the shared password without a name."""

import hmac
import math
from hashlib import sha256

from services.desk.lists.people import People
from services.support.passwords import Passwords, TooManyWaiting
from services.web.access.sessions import Attempts

_BUSY_S = 2.0


class HasToWait(Exception):
    """Nobody from this address may try now. `seconds` says how long."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = math.ceil(seconds)


class PasswordCheck:
    """`password` is the shared one, empty if there is none; `people` is None if nobody has a password of their own."""

    def __init__(self, *, password: str, people: People | None, passwords: Passwords, attempts: Attempts) -> None:
        self._digest = sha256(password.encode()).digest() if password else None
        self._people = people
        self._passwords = passwords
        self._attempts = attempts

    @property
    def by_name(self) -> bool:
        """True if people have passwords of their own."""
        return self._people is not None

    @property
    def any(self) -> bool:
        """True if anybody can log in with a password."""
        return self.by_name or self._digest is not None

    def wait(self, address: str) -> None:
        """Raises HasToWait if this address may not try now."""
        if seconds := self._attempts.wait(address):
            raise HasToWait(seconds)

    def known_name(self, name: str) -> str:
        """The name of the person who has it, in other capitals perhaps; empty if nobody does."""
        person = self._people.named(name) if self._people else None
        return person.name if person else ""

    async def login_of(self, address: str, name: str, password: str) -> str | None:
        """What a session keeps of the person (`Person.login`), empty for the shared password; None if the password is wrong.

        Raises HasToWait.
        """
        self.wait(address)  # again: bodies that arrive together must not all get the last free attempt
        if not name.strip() or self._people is None:
            given = sha256(password.encode(errors="replace")).digest()
            fits = hmac.compare_digest(given, self._digest or b"")
            self._count(address, fits=fits)
            return "" if fits else None
        # Counted before it is known to be wrong, because others may try while it is checked.
        self._attempts.failed(address)
        person = self._people.named(name)
        try:
            fits = await self._passwords.fits(password, person.password if person and not person.disabled else "")
        except TooManyWaiting:
            self._attempts.take_back(address)
            raise HasToWait(_BUSY_S) from None
        if not fits or person is None or self._people.of_login(person.login) != person:
            return None
        self._attempts.take_back(address)
        return person.login

    def _count(self, address: str, *, fits: bool) -> None:
        (self._attempts.succeeded if fits else self._attempts.failed)(address)
