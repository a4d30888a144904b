"""Group commit: simultaneous writes share one transaction, and so one wait for the disk."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from services.domain.errors import EarshotError, JournalError, Unwritable
from services.journal.database import Database
from services.support.tasks import Tasks

log = logging.getLogger(__name__)
A = TypeVar("A")
R = TypeVar("R")

_LARGEST = 256  # writes per transaction; with more, the first would wait too long for the last


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[A, R]):
    """A kind of write. `run` does many at once and may return one result for each: an EarshotError for a write that was refused.

    In a transaction, kinds run in the order of `turn`.
    """

    turn: int
    run: Callable[[sa.Connection, Sequence[A]], Sequence[R | EarshotError] | None]


@dataclass(slots=True, kw_only=True)
class _Write:
    kind: Kind[Any, Any]
    wanted: Any
    done: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Writer:
    """This process's only writer to `database`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Write] = []
        self._wake = asyncio.Event()
        self._closed = False
        self._tasks = Tasks()
        self._running = self._tasks.start(self._run(), name="write journal")

    async def do(self, kind: Kind[A, R], wanted: A) -> R:
        """Returns once the write is on disk. It completes even if the caller is cancelled. Raises JournalError and the errors of `kind`."""
        if self._closed:
            raise JournalError("The journal is closed.")
        write = _Write(kind=kind, wanted=wanted)
        write.done.add_done_callback(_mark_retrieved)
        self._waiting.append(write)
        self._wake.set()
        await asyncio.wait([write.done])
        result: R = write.done.result()
        return result

    async def aclose(self) -> None:
        """Writes what is waiting, and accepts nothing more."""
        self._closed = True
        self._wake.set()
        await asyncio.wait([self._running])

    async def _run(self) -> None:
        while not self._closed or self._waiting:
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
            batch, self._waiting = self._waiting[:_LARGEST], self._waiting[_LARGEST:]
            if batch:
                await self._commit(batch)

    async def _commit(self, batch: list[_Write]) -> None:
        try:
            results = await self._database.write(lambda connection: _run_all(connection, batch))
        except Exception as error:
            if len(batch) > 1 and (isinstance(error, Unwritable) or not isinstance(error, JournalError)):
                # One bad write must not fail the others: write each on its own.
                for write in batch:
                    await self._commit([write])
                return
            if not isinstance(error, JournalError):
                log.exception("the journal can't write this")
                error = JournalError(f"The journal can't write this ({type(error).__name__}).")
            for write in batch:
                write.done.set_exception(JournalError(error.detail))
        else:
            for write, result in zip(batch, results, strict=True):
                if isinstance(result, EarshotError):
                    write.done.set_exception(result)
                else:
                    write.done.set_result(result)


def _run_all(connection: sa.Connection, batch: list[_Write]) -> list[Any]:
    kinds: defaultdict[Kind[Any, Any], list[int]] = defaultdict(list)
    for place, write in enumerate(batch):
        kinds[write.kind].append(place)
    results: list[Any] = [None] * len(batch)
    for kind, places in sorted(kinds.items(), key=lambda item: item[0].turn):
        answers = kind.run(connection, [batch[place].wanted for place in places])
        for place, answer in zip(places, answers or (), strict=answers is not None):
            results[place] = answer
    return results


def _mark_retrieved(done: asyncio.Future[Any]) -> None:
    """Marks an error as retrieved, because a cancelled caller never retrieves it."""
    if not done.cancelled():
        done.exception()
