"""Proves by a write that dials can be written down."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from services.domain.errors import JournalError
from services.journal.database.database import Database
from services.journal.database.schema import schema_version
from services.journal.tables import slots
from services.support.tasks import Tasks

_FRESH_S = 1.0  # for which a proof holds, however many ask
_PATIENCE_S = 2.5  # after which a database that does not answer is unusable
_PIECES = 10  # that the patience passes in: an answer needs three turns of the event loop to get from the database's thread to `give`


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """How many slots are taken, and how many of them by dials of unknown outcome that nobody searches for any more."""

    taken: int
    abandoned: int


class Proof:
    """Writes to `database` when asked, at most once a second. `failing_since` is None while that works."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self.failing_since: datetime | None = None
        self._database = database
        self._now = now
        self._began = 0.0
        self._attempt: tuple[asyncio.Task[Slots], asyncio.Task[None]] | None = None  # the latest write, and what limits the wait for it
        self._tasks = Tasks()

    async def give(self) -> Slots:
        """Returns if a write was committed within the last second. Raises JournalError, at the latest after 2.5 seconds; later only if
        the event loop is late.
        """
        now = time.monotonic()
        if self._attempt is None or (self._attempt[0].done() and now - self._began >= _FRESH_S):
            self._began = now
            self._attempt = self._begin()
        try:
            found = await self._result(*self._attempt)
        except JournalError:
            self.failing_since = self.failing_since or self._now()
            raise
        self.failing_since = None
        return found

    async def aclose(self) -> None:
        await self._tasks.aclose()

    def _begin(self) -> tuple[asyncio.Task[Slots], asyncio.Task[None]]:
        writing = self._tasks.start(self._database.write(self._write), name="prove journal")
        patience = self._tasks.start(_patience(), name="limit proof")
        writing.add_done_callback(lambda _: patience.cancel())
        return writing, patience

    async def _result(self, attempt: asyncio.Task[Slots], patience: asyncio.Task[None]) -> Slots:
        await asyncio.wait([attempt, patience], return_when=asyncio.FIRST_COMPLETED)
        if not attempt.done():
            raise JournalError(f"The journal's database has not confirmed a write within {_PATIENCE_S} seconds.")
        if error := attempt.exception():
            raise JournalError(error.detail if isinstance(error, JournalError) else type(error).__name__)
        return attempt.result()

    def _write(self, connection: sa.Connection) -> Slots:
        # There and back, in one transaction: SQLite would not write an unchanged value, and then a full disk would go unnoticed.
        for change in (1, -1):
            connection.execute(schema_version.update().values(version=schema_version.c.version + change))
        now = self._now()
        return Slots(taken=slots.taken(connection, now), abandoned=slots.abandoned(connection, now))


async def _patience() -> None:
    """Ends after 2.5 seconds, and after at least ten turns of the event loop: if that is late, the database may have answered long ago, and
    the answer waits to be read.
    """
    for _ in range(_PIECES):
        await asyncio.sleep(_PATIENCE_S / _PIECES)
