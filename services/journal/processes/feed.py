"""The feed: what other processes have written to the journal, read as soon as they have."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa

from services.domain.alert import Alert
from services.domain.call import Call
from services.domain.errors import JournalError
from services.journal.database.revisions import Revised, current
from services.journal.database.watches import Watch
from services.journal.records import RecordingState, Session
from services.journal.tables import alerts, audit, calls, measures, recordings, sessions, states
from services.journal.tables.states import State
from services.support.signals import Signal
from services.support.tasks import Tasks

log = logging.getLogger(__name__)

_PAUSE_S = 0.02  # between two reads, so that a busy process is followed in batches
_RETRY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What was written since the last news, by whichever process. `noted` are the ids of calls with new rows in the audit.
    `states` are the changed states of the installation, by name, with the revision of each. `measured` is what was measured of calls, by
    the id of each.
    """

    calls: list[Call]
    noted: frozenset[str]
    states: Mapping[str, State]
    sessions: list[Session]
    recordings: list[RecordingState]
    alerts: list[Alert]
    measured: Mapping[str, str]


class Feed:
    """Follows the journal from the first `follow` on."""

    def __init__(self, database: Revised, watch: Watch) -> None:
        self._news: Signal[News] = Signal()
        self._database = database
        self._watch = watch
        self._revision = 0
        self._newest_note = 0
        self._one_at_a_time = asyncio.Lock()
        self._tasks = Tasks()

    async def follow(self, take: Callable[[News], None]) -> None:
        """Passes `take` what is written from now on. Rows of this process may be among them. Raises JournalError."""
        async with self._one_at_a_time:
            if not self._tasks:
                self._revision, self._newest_note = await self._database.read(_where_it_ends)
                self._tasks.keep(self._run, name="follow journal")
        self._news.subscribe(take)

    async def _run(self) -> None:
        while True:
            try:
                await self._watch.wait()
                await self.catch_up()
                await asyncio.sleep(_PAUSE_S)
            except JournalError as error:
                log.warning("could not follow the journal: %s", error.detail)
                await asyncio.sleep(_RETRY_S)

    async def catch_up(self, to: int | None = None) -> None:
        """Emits what has been written by now, unless everything up to revision `to` was emitted before. Raises JournalError."""
        if not self._tasks or (to is not None and to <= self._revision):
            return
        async with self._one_at_a_time:
            since = self._revision
            read = partial(_read, since=since, newest_note=self._newest_note, own=frozenset(self._database.own))
            self._revision, self._newest_note, news = await self._database.read(read)
            if news and await self._database.wrote_all(since, self._revision):
                news = None
            self._database.own = {number for number in self._database.own if number > self._revision}
        if news:
            self._news.emit(news)

    async def aclose(self) -> None:
        await self._tasks.aclose()
        await self._watch.aclose()


def _where_it_ends(connection: sa.Connection) -> tuple[int, int]:
    newest = audit.newest_id(connection)
    return current(connection), newest


def _read(connection: sa.Connection, *, since: int, newest_note: int, own: frozenset[int]) -> tuple[int, int, News | None]:
    newest = audit.newest_id(connection)  # before the revision, so that it includes no row of a later one
    now = current(connection)
    if own.issuperset(range(since + 1, now + 1)):
        # Otherwise our own rows are read too: they may contain what another process wrote just before.
        return now, newest, None
    newest, noted = audit.noted_since(connection, newest_note)
    return (
        now,
        newest,
        News(
            calls=calls.written_since(connection, since),
            noted=noted,
            states=states.written_since(connection, since),
            sessions=sessions.written_since(connection, since),
            recordings=recordings.written_since(connection, since),
            alerts=alerts.written_since(connection, since),
            measured=measures.written_since(connection, since),
        ),
    )
