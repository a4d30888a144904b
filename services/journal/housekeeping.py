"""Keeps the journal in order: reports that this process lives, and deletes what is outdated."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from services.domain.errors import JournalError
from services.journal.database.database import Database
from services.journal.processes.presence import HEARTBEAT, Presence
from services.journal.tables import dials, pruning, turns
from services.support.tasks import Tasks

log = logging.getLogger(__name__)

_TIDY = timedelta(hours=1)


class Housekeeping:
    """`tidies`: False leaves outdated rows until `forget_old` is called."""

    def __init__(self, database: Database, presence: Presence, now: Callable[[], datetime], *, tidies: bool) -> None:
        self._database = database
        self._presence = presence
        self._now = now
        self._tidies = tidies
        self._tasks = Tasks()

    def start(self) -> None:
        """Works until `aclose`."""
        self._tasks.keep(self._run, name="keep journal")

    async def aclose(self) -> None:
        await self._tasks.aclose()

    async def forget_old(self) -> None:
        """Frees idempotency keys after 24 hours and deletes outdated rows."""
        await self._database.write(partial(dials.forget_keys, before=self._now() - dials.KEY_KEPT))
        while rows := await self._database.read(partial(pruning.outdated, now=self._now())):
            for table, which in rows:
                await self._database.write(partial(pruning.delete, table=table, rows=which))
        for endpoint_id, last in await self._database.read(turns.excess):
            await self._shorten(endpoint_id, last)
        if call_ids := await self._database.read(turns.out_of_turn):
            await self._database.write(partial(turns.line_up, call_ids=call_ids))

    async def _shorten(self, endpoint_id: str, last: int) -> None:
        lost = 0
        while (deleted := await self._database.write(partial(turns.shorten, endpoint_id=endpoint_id, last=last)))[0]:
            lost += deleted[1]
        if lost:
            log.warning("a webhook had more than %d events; deleted %d that were not sent yet", turns.MOST_EVENTS, lost)

    async def _run(self) -> None:
        tidied: datetime | None = None
        while True:
            try:
                await self._presence.join()
                now = self._now()
                if self._tidies and (tidied is None or now - tidied >= _TIDY):
                    await self.forget_old()
                    tidied = now
            except JournalError as error:
                log.warning("could not do the journal's housekeeping: %s", error.detail)
            await asyncio.sleep(HEARTBEAT)
