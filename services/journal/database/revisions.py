"""The journal's revision: a counter that a transaction raises if it writes rows that other processes follow."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa

from services.journal.database.database import Database, Work
from services.journal.database.schema import revision
from services.journal.database.watches import CHANNEL, Watch

T = TypeVar("T")

_RAISED = "earshot revision"
_RAISE = revision.update().values(number=revision.c.number + 1).returning(revision.c.number)
_CURRENT = sa.select(revision.c.number)
_NOTIFY = sa.text("SELECT pg_notify(:channel, :instance)")


def raised(connection: sa.Connection) -> int:
    """The revision of this transaction, for the rows that it writes. The first use raises the counter."""
    found: int | None = connection.info.get(_RAISED)
    if found is None:
        found = connection.info[_RAISED] = connection.execute(_RAISE).scalar_one()
    return found


def current(connection: sa.Connection) -> int:
    """The revision of the latest transaction that was committed."""
    return int(connection.execute(_CURRENT).scalar_one())


class Revised(Database):
    """`database`, whose transactions may raise the revision and then notify the other processes.

    `own` are the revisions that this process wrote and that its feed has not passed yet.
    """

    def __init__(self, database: Database, instance: str) -> None:
        self.own: set[int] = set()
        self._committing: dict[int, asyncio.Future[None]] = {}  # by revision, from just before the commit until its answer
        self._database = database
        self._instance = instance

    async def scour(self) -> None:
        await self._database.scour()

    async def write(self, work: Work[T]) -> T:
        answered = asyncio.get_running_loop().create_future()
        try:
            result, written = await self._database.write(self._noting_revision(work, answered))
            if written is not None:
                self.own.add(written)
            return result
        finally:
            answered.set_result(None)
            for number in [number for number, answer in self._committing.copy().items() if answer.done()]:
                del self._committing[number]

    async def wrote_all(self, since: int, until: int) -> bool:
        """True if all revisions after `since`, `until` included, are this process's own.

        One may have been read after its commit and before the commit was answered, so those answers are awaited. They come soon: whoever
        has read the revision knows that it is committed, by us, or by another process after ours was rolled back.
        """
        answers = [answered for number, answered in self._committing.copy().items() if since < number <= until]
        if answers:
            await asyncio.wait(answers)
        return self.own.issuperset(range(since + 1, until + 1))

    async def read(self, work: Work[T]) -> T:
        return await self._database.read(work)

    def watch(self, ignore: str) -> Watch:
        return self._database.watch(ignore)

    async def aclose(self) -> None:
        await self._database.aclose()

    def _noting_revision(self, work: Work[T], answered: asyncio.Future[None]) -> Callable[[sa.Connection], tuple[T, int | None]]:
        def run(connection: sa.Connection) -> tuple[T, int | None]:
            info: dict[Any, Any] = connection.info  # it outlives the transaction, and an earlier one may have been rolled back
            info.pop(_RAISED, None)
            result = work(connection)
            written: int | None = info.pop(_RAISED, None)
            if written is not None:
                self._committing[written] = answered
            if written is not None and connection.dialect.name == "postgresql":
                connection.execute(_NOTIFY, {"channel": CHANNEL, "instance": self._instance})
            return result, written

        return run
