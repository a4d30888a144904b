"""Group commit: simultaneous writes share one transaction, and so one wait for the disk. Facts are written again and again until the
database takes them; requests fail if it does not.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from services.domain.errors import JournalError, Unwritable
from services.journal.database.database import Database
from services.journal.writing.writes import MOST_FACTS, Fact, Facts, FactWrite, Kind, Write
from services.support.events import set_within
from services.support.tasks import Tasks
from services.support.traces import add_span

log = logging.getLogger(__name__)
A = TypeVar("A")
R = TypeVar("R")

_LARGEST = 256  # writes per transaction; with more, the first would wait too long for the last
_FACT_PATIENCE_S = 2.0  # how long the reporter of a fact waits for the disk: an answer must not wait for the end of an outage
_PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # before each new attempt during an outage; the last one repeats
_REJECTED_AGAIN_S = 60.0  # after which facts that the database did not accept are tried again
_CLOSING_S = 5.0  # for which closing goes on writing what waits
_SLOW_S = 0.05  # a write that takes longer has a span in its trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why nothing can be written, and since when."""

    detail: str
    since: datetime


class Writer:
    """This process's only writer to `database`. `facts` are those that are not written yet, `trouble` is why the last attempt failed."""

    def __init__(self, database: Database, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.facts = Facts()
        self.trouble: Trouble | None = None
        self._database = database
        self._now = now
        self._requests: list[Write] = []
        self._work, self._urgent = asyncio.Event(), asyncio.Event()
        self._rejected_until = 0.0
        self._closed = False
        self._tasks = Tasks()
        self._running = self._tasks.keep(self._run, name="write journal")

    @property
    def failing_since(self) -> datetime | None:
        return self.trouble.since if self.trouble else None

    async def do(self, kind: Kind[A, R], wanted: A) -> R:
        """Returns once the write is on disk. If the caller is cancelled, a write that has begun completes, and one that waits is not made.

        Raises JournalError and the errors of `kind`.
        """
        self.require_room()
        write = Write(kind=kind, wanted=wanted)
        self._requests.append(write)
        self.retry_now()
        try:
            await _waited_for(write)
        except asyncio.CancelledError:
            if write in self._requests:
                self._requests.remove(write)
            raise
        result: R = write.done.result()
        return result

    async def record(self, kind: Fact[A], wanted: A) -> None:
        """Writes a fact. Returns once it is on disk; in an outage after one failed attempt or 2 seconds, and it is written later."""
        write = self.put(kind, wanted)
        if self.trouble is None:
            await _waited_for(write, _FACT_PATIENCE_S)

    def put(self, kind: Fact[A], wanted: A) -> FactWrite:
        """Has a fact written, now or later. Raises JournalError after `aclose`."""
        if self._closed:
            raise JournalError("The journal is closed.")
        write = self.facts.add(kind, wanted, self._now())
        self._work.set()
        return write

    def require_room(self) -> None:
        """Raises JournalError if so many facts wait that nothing new may be begun."""
        if self._closed:
            raise JournalError("The journal is closed.")
        if self.facts.full:
            why = f": {self.trouble.detail}" if self.trouble else "."
            raise JournalError(f"{MOST_FACTS} facts wait to be written, and nothing new is begun before they are{why}")

    def retry_now(self) -> None:
        """Ends the pause before the next attempt."""
        self._work.set()
        self._urgent.set()

    async def aclose(self) -> None:
        """Writes what is waiting, for a few seconds if need be, and accepts nothing more. Logs what could not be written."""
        self._closed = True
        self.retry_now()
        await asyncio.wait([self._running], timeout=_CLOSING_S)
        await self._tasks.aclose()
        for write in self._requests:
            write.finish(JournalError("The journal is closed."))
        for lost in self.facts.unwritten():
            log.critical("not written before the end: %s of %s", _name(lost.kind), lost.about)

    async def _run(self) -> None:
        self.facts.restore()  # what an unforeseen error left half done
        failures = 0
        while not self._closed or self._requests or self.facts.ready:
            if self.facts.rejected and self._until_retry() <= 0:
                self.facts.retry_rejected()
            if not (self._requests or self.facts.ready):
                await self._idle()
                continue
            error = await self._write_next()
            if error is None:
                self._recovered()
                failures = 0
                continue
            self._failed(error)
            self._urgent.clear()
            await set_within(self._urgent, _PAUSES_S[min(failures, len(_PAUSES_S) - 1)])
            failures += 1

    async def _idle(self) -> None:
        self._work.clear()
        await set_within(self._work, self._until_retry() if self.facts.rejected else None)

    def _until_retry(self) -> float:
        """Seconds until rejected facts are tried again, whatever else is written meanwhile."""
        return self._rejected_until - asyncio.get_running_loop().time()

    async def _write_next(self) -> JournalError | None:
        """Writes the oldest facts, then requests. Returns the error if the database can't be written now."""
        batch: list[Write] = [*self.facts.take(_LARGEST)]
        room = _LARGEST - len(batch)
        requests, self._requests = self._requests[:room], self._requests[room:]
        return await self._commit([*batch, *requests])

    async def _commit(self, batch: list[Write]) -> JournalError | None:
        try:
            results = await self._database.write(lambda connection: _run_all(connection, batch))
        except asyncio.CancelledError:
            self._unwritten(batch, JournalError("The journal was closed before this was written."))
            raise
        except Exception as error:
            if isinstance(error, JournalError) and not isinstance(error, Unwritable):
                return self._unwritten(batch, error)
            if len(batch) > 1:
                # One bad write must not fail the others: write each on its own.
                for place, write in enumerate(batch):
                    if unusable := await self._commit([write]):
                        return self._unwritten(batch[place:], unusable)
                return None
            if not isinstance(error, JournalError):
                log.exception("the journal can't write this")
                error = JournalError(f"The journal can't write this ({type(error).__name__}).")
            self._reject(batch[0], error)
        else:
            for write, result in zip(batch, results, strict=True):
                if isinstance(write, FactWrite):
                    self.facts.written(write)
                write.finish(result)
        return None

    def _unwritten(self, batch: list[Write], error: JournalError) -> JournalError:
        """Fails the requests; facts only stop their callers from waiting."""
        for write in batch:
            write.finish(None if isinstance(write, FactWrite) else JournalError(error.detail))
        return error

    def _reject(self, write: Write, error: JournalError) -> None:
        if isinstance(write, FactWrite):
            log.error("the database does not accept a fact about %s; it is tried again every minute", write.about)
            if not self.facts.rejected:
                self._rejected_until = asyncio.get_running_loop().time() + _REJECTED_AGAIN_S
            self.facts.reject(write)
            write.finish()
        else:
            write.finish(JournalError(error.detail))

    def _failed(self, error: JournalError) -> None:
        self.facts.restore()
        for fact in self.facts.unwritten():
            fact.finish()
        requests, self._requests = self._requests, []
        for write in requests:
            write.finish(JournalError(error.detail))
        if self.trouble is None:
            log.error("nothing can be written to the journal; what happens is kept in memory and written later")
        self.trouble = Trouble(detail=error.detail, since=self.trouble.since if self.trouble else self._now())

    def _recovered(self) -> None:
        if self.trouble:
            log.warning("the journal can be written again, after %.0f s", (self._now() - self.trouble.since).total_seconds())
            self.trouble = None


async def _waited_for(write: Write, patience_s: float | None = None) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    await asyncio.wait([write.done], timeout=patience_s)
    if (took := clock() - began) >= _SLOW_S:
        add_span("write journal", took, {"earshot.write": _name(write.kind)}, alone=False)


def _run_all(connection: sa.Connection, batch: Sequence[Write]) -> list[Any]:
    kinds: defaultdict[Kind[Any, Any], list[int]] = defaultdict(list)
    for place, write in enumerate(batch):
        kinds[write.kind].append(place)
    results: list[Any] = [None] * len(batch)
    for kind, places in sorted(kinds.items(), key=lambda item: item[0].turn):
        answers = kind.run(connection, [batch[place].wanted for place in places])
        for place, answer in zip(places, answers or (), strict=answers is not None):
            results[place] = answer
    return results


def _name(kind: Kind[Any, Any]) -> str:
    """Of its function, which may stand in a partial one."""
    return str(getattr(kind.run, "func", kind.run).__name__)
