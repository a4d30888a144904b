"""Notices that another process may have written to the journal: by polling SQLite, by LISTEN on PostgreSQL."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import sqlalchemy as sa

from services.domain.errors import JournalError
from services.support.events import set_within

if TYPE_CHECKING:  # it loads SQLAlchemy's ORM, which only PostgreSQL needs
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")

CHANNEL = "earshot_journal"
"""PostgreSQL's notification channel. The payload is the id of the process that wrote."""

_POLL_S = 0.2
_CHECK_S = 5.0  # between checks that PostgreSQL still answers; a connection may die without a word


class Watch(Protocol):
    """Waits for writes. Errors are JournalError; the next `wait` tries again."""

    async def wait(self) -> None:
        """Returns once another process may have written since the last call. It may also return without a reason."""

    async def aclose(self) -> None: ...


class FileWatch:
    """Asks SQLite every 200 ms whether another connection has committed. That reads shared memory, not the disk.

    It has a thread of its own, because a connection must not be closed while another thread uses it.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._file: sqlite3.Connection | None = None
        self._version = -1
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="watch journal")
        self._used = False

    async def wait(self) -> None:
        while True:
            await asyncio.sleep(_POLL_S)
            try:
                version = await self._in_thread(self._read_version)
            except sqlite3.Error as error:
                await self._in_thread(self._close)
                raise JournalError(f"The journal can't be followed ({error}).") from error
            if version != self._version:
                self._version = version
                return

    async def aclose(self) -> None:
        if self._used:  # else this would only start the thread
            await self._in_thread(self._close)
        self._thread.shutdown(wait=False)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        self._used = True
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _close(self) -> None:
        file, self._file = self._file, None
        if file:
            file.close()

    def _read_version(self) -> int:
        if self._file is None:
            # The version counts for one connection only, so a new one reports a change.
            self._version = -1
            self._file = self._connect()
        return int(self._file.execute("PRAGMA data_version").fetchone()[0])


class Notifications:
    """Listens to PostgreSQL's notifications on a connection of its own from `engine`, and connects again if that breaks.

    Notifications of the process `ignore` are ignored.
    """

    def __init__(self, engine: "AsyncEngine", ignore: str) -> None:
        self._engine = engine
        self._ignore = ignore
        self._connection: AsyncConnection | None = None
        self._news = asyncio.Event()

    async def wait(self) -> None:
        try:
            if self._connection is None:
                await self._connect()
                return  # somebody may have written before
            if not await set_within(self._news, _CHECK_S):
                driver = (await self._connection.get_raw_connection()).driver_connection
                assert driver  # noqa: S101 - connected
                if await driver.fetchval("SHOW transaction_read_only") == "on":
                    raise ConnectionError  # it has become a standby, where nobody notifies
            self._news.clear()
        except Exception as error:  # of SQLAlchemy, of asyncpg, or of the socket
            await self.aclose()
            raise JournalError(f"The journal can't be followed ({type(error).__name__}).") from error

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            with suppress(sa.exc.SQLAlchemyError, OSError):
                await connection.invalidate()
                await connection.close()

    async def _connect(self) -> None:
        self._news.clear()
        self._connection = await self._engine.connect()
        driver: Any = (await self._connection.get_raw_connection()).driver_connection
        driver.add_termination_listener(lambda _: self._news.set())
        await driver.add_listener(CHANNEL, self._on_notification)

    def _on_notification(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        if payload != self._ignore:
            self._news.set()
