"""What waits to be written: requests that nothing has come of yet, and facts that the world has already made.

A request (a dial about to be made) fails if the database can't be written. A fact (an accepted call, an end, a cost, an audit row) stays
here until it is written.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from services.domain.errors import EarshotError

A = TypeVar("A")
R = TypeVar("R")

MOST_FACTS = 10_000
"""Waiting facts. With more, new dials and controls are refused, but no fact is dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[A, R]):
    """A kind of write. `run` does many at once and may return one result for each: an EarshotError for a write that was refused.

    In a transaction, kinds run in the order of `turn`.
    """

    turn: int
    run: Callable[[sa.Connection, Sequence[A]], Sequence[R | EarshotError] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Kind[A, None]):
    """A kind of fact. `about` is the tag of its dial or the id of its call.

    With `merge`, a newer fact about the same replaces the waiting one: `merge(older, newer)` is written.
    """

    about: Callable[[A], str]
    merge: Callable[[A, A], A] | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Write:
    """A waiting write. `done` has its result; for a fact it is also done once a first attempt has failed."""

    kind: Kind[Any, Any]
    wanted: Any
    done: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def __post_init__(self) -> None:
        self.done.add_done_callback(_mark_retrieved)

    def finish(self, result: object = None) -> None:
        """Answers the caller, if it was not answered before."""
        if self.done.done():
            return
        if isinstance(result, EarshotError):
            self.done.set_exception(result)
        else:
            self.done.set_result(result)


@dataclass(slots=True, kw_only=True, eq=False)
class FactWrite(Write):
    """A waiting fact, since when it waits, and what it is about."""

    kind: Fact[Any]
    since: datetime

    @property
    def about(self) -> str:
        return self.kind.about(self.wanted)

    @property
    def key(self) -> object:
        return (self.kind, self.about) if self.kind.merge else self


class Facts:
    """The facts that are not written yet, oldest first."""

    def __init__(self) -> None:
        self._waiting: dict[object, FactWrite] = {}
        self._writing: list[FactWrite] = []
        self._rejected: list[FactWrite] = []
        self._about: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._writing) + len(self._rejected)

    def __contains__(self, about: str) -> bool:
        """True if a fact about this dial or call is not written yet. May be asked in any thread."""
        return about in self._about

    @property
    def full(self) -> bool:
        return len(self) >= MOST_FACTS

    @property
    def ready(self) -> bool:
        """True if there is a fact to write now."""
        return bool(self._waiting)

    @property
    def since(self) -> datetime | None:
        """Since when the oldest one waits."""
        oldest = next(iter(self._waiting.values()), None)
        return min((write.since for write in (*self._rejected, *self._writing, *([oldest] if oldest else []))), default=None)

    @property
    def rejected(self) -> int:
        """How many the database does not accept though it works."""
        return len(self._rejected)

    def unwritten(self) -> Iterable[FactWrite]:
        return (*self._rejected, *self._writing, *self._waiting.values())

    def add(self, kind: Fact[A], wanted: A, now: datetime) -> FactWrite:
        write = FactWrite(kind=kind, wanted=wanted, since=now)
        if kind.merge and (older := self._waiting.get(write.key)):
            older.wanted = kind.merge(older.wanted, wanted)
            return older
        self._waiting[write.key] = write
        self._about[write.about] += 1
        return write

    def take(self, most: int) -> list[FactWrite]:
        """Takes the oldest ones out to be written. Each must come back through `written`, `restore` or `reject`."""
        self._writing = list(self._waiting.values())[:most]
        for write in self._writing:
            del self._waiting[write.key]
        return self._writing

    def written(self, write: FactWrite) -> None:
        self._writing = [other for other in self._writing if other is not write]
        self._forget(write)

    def restore(self) -> None:
        """Puts those that could not be written back to the front."""
        restored: dict[object, FactWrite] = {}
        for write in self._writing:
            newer = self._waiting.pop(write.key, None)
            if newer and write.kind.merge:
                write.wanted = write.kind.merge(write.wanted, newer.wanted)
                newer.finish()
                self._forget(newer)
            restored[write.key] = write
        self._waiting = restored | self._waiting
        self._writing = []

    def reject(self, write: FactWrite) -> None:
        """Sets one aside that the database does not accept, so that it does not hold up the others."""
        self._writing = [other for other in self._writing if other is not write]
        self._rejected.append(write)

    def retry_rejected(self) -> None:
        """Lets those set aside be tried again, after all others."""
        rejected, self._rejected = self._rejected, []
        for write in rejected:
            newer = self._waiting.get(write.key)
            if newer and write.kind.merge:
                newer.wanted = write.kind.merge(write.wanted, newer.wanted)
                self._forget(write)
            else:
                self._waiting[write.key] = write

    def _forget(self, write: FactWrite) -> None:
        self._about[write.about] -= 1
        if not self._about[write.about]:
            del self._about[write.about]


def _mark_retrieved(done: asyncio.Future[Any]) -> None:
    """Marks an error as retrieved, because a cancelled caller never retrieves it."""
    if not done.cancelled():
        done.exception()
