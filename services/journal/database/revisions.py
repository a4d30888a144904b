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
_ANSWERED_S = 0.2  # for which it is waited until a committed write is known to be our own; a write that takes longer waits to be committed
_RAISE = revision.update().values(number=revision.c.number + 1).returning(revision.c.number)
_NOTIFY = sa.text("SELECT pg_notify(:channel, :instance)")


def raised(connection: sa.Connection) -> int:
    """The revision of this transaction, for the rows that it writes. The first use raises the counter."""
    found: int | None = connection.info.get(_RAISED)
    if found is None:
        found = connection.info[_RAISED] = connection.execute(_RAISE).scalar_one()
    return found


def current(connection: sa.Connection) -> int:
    """The revision of the latest transaction that was committed."""
    return int(connection.execute(sa.select(revision.c.number)).scalar_one())


class Revised(Database):
    """`database`, whose transactions may raise the revision and then notify the other processes.

    `own` are the revisions that this process wrote and that its feed has not passed yet.
    """

    def __init__(self, database: Database, instance: str) -> None:
        self.own: set[int] = set()
        self._writing: set[asyncio.Future[None]] = set()
        self._database = database
        self._instance = instance

    async def write(self, work: Work[T]) -> T:
        done = asyncio.get_running_loop().create_future()
        self._writing.add(done)
        try:
            result, written = await self._database.write(self._noting_revision(work))
            if written is not None:
                self.own.add(written)
            return result
        finally:
            self._writing.discard(done)
            done.set_result(None)

    async def wrote_all(self, since: int, until: int) -> bool:
        """True if all revisions after `since`, `until` included, are this process's own. One may have been read after its commit and before
        the commit was answered, so writes that are under way get a moment to be answered."""
        revisions = range(since + 1, until + 1)
        if self._writing and not self.own.issuperset(revisions):
            await asyncio.wait(set(self._writing), timeout=_ANSWERED_S)
        return self.own.issuperset(revisions)

    async def read(self, work: Work[T]) -> T:
        return await self._database.read(work)

    def watch(self, ignore: str) -> Watch:
        return self._database.watch(ignore)

    async def aclose(self) -> None:
        await self._database.aclose()

    def _noting_revision(self, work: Work[T]) -> Callable[[sa.Connection], tuple[T, int | None]]:
        def run(connection: sa.Connection) -> tuple[T, int | None]:
            info: dict[Any, Any] = connection.info  # it outlives the transaction, and an earlier one may have been rolled back
            info.pop(_RAISED, None)
            result = work(connection)
            written = info.pop(_RAISED, None)
            if written is not None and connection.dialect.name == "postgresql":
                connection.execute(_NOTIFY, {"channel": CHANNEL, "instance": self._instance})
            return result, written

        return run
