"""The journal in an SQLite file: for any number of processes on one machine."""

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import sqlalchemy as sa

from services.domain.errors import JournalError
from services.journal.database.database import PATIENCE_S, Database, Work, log_in_words, plain_errors
from services.journal.database.watches import FileWatch, Watch

log = logging.getLogger(__name__)
T = TypeVar("T")

_ATTEMPTS = 20  # to empty the write-ahead log
_AGAIN_S = 0.25


class Sqlite(Database):
    """One file, used in two threads. A whole transaction takes one hop; aiosqlite takes one per statement and is 6 times slower."""

    def __init__(self, path: Path) -> None:
        self._threads = {begin: ThreadPoolExecutor(1, thread_name_prefix="journal") for begin in ("BEGIN IMMEDIATE", "BEGIN")}
        self._path = path
        self._file = _identity(path)
        self._engines = {begin: _engine(self._connect, begin) for begin in self._threads}

    @classmethod
    async def open(cls, path: Path) -> "Sqlite":
        with plain_errors():
            await asyncio.to_thread(_make_private, path)
        return cls(path)

    async def write(self, work: Work[T]) -> T:
        def write(connection: sa.Connection) -> T:
            self._require_file()
            return work(connection)

        return await self._run("BEGIN IMMEDIATE", write)

    async def read(self, work: Work[T]) -> T:
        return await self._run("BEGIN", work)

    def watch(self, ignore: str) -> Watch:
        return FileWatch(partial(self._connect, "ro"))

    async def scour(self) -> None:
        """Deleted rows are overwritten with zeros (`secure_delete`), but the write-ahead log has what the pages held before."""
        for _ in range(_ATTEMPTS):
            with plain_errors():
                if await asyncio.get_running_loop().run_in_executor(self._threads["BEGIN IMMEDIATE"], self._empty_log):
                    return
            await asyncio.sleep(_AGAIN_S)  # a reader still needs the log
        log.warning("could not empty the journal's write-ahead log while it is being read; later writes overwrite it")

    def _empty_log(self) -> bool:
        connection = self._engines["BEGIN IMMEDIATE"].raw_connection()
        try:
            return not connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            connection.close()

    def _require_file(self) -> None:
        """Raises JournalError if the file was deleted or replaced: what is written to the open one is gone with this process, and
        other processes do not see it, so that a key could dial twice.
        """
        if _identity(self._path) != self._file:
            raise JournalError(
                f"The journal's file {self._path.name} was deleted or replaced while Earshot was running, so nothing is dialled."
                " Put it back, or stop Earshot, restore a backup, and start Earshot again."
            )

    def _connect(self, mode: str = "rw") -> sqlite3.Connection:
        """Raises JournalError if the file is another. In no mode a file that was deleted is created again, empty."""
        uri = f"file:{quote(str(self._path))}?mode={mode}"
        # Without an isolation level the driver starts no transactions. It would do so only at the first write, leaving reads outside.
        connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)
        try:
            self._require_file()  # using another file would cut off the log's index, which our other connections have mapped
        except JournalError:
            connection.close()
            raise
        return connection

    async def _run(self, begin: str, work: Work[T]) -> T:
        def transaction() -> T:
            with self._engines[begin].begin() as connection:
                return work(connection)

        with plain_errors():
            return await asyncio.get_running_loop().run_in_executor(self._threads[begin], transaction)

    async def aclose(self) -> None:
        for begin, thread in self._threads.items():
            await asyncio.get_running_loop().run_in_executor(thread, self._engines[begin].dispose)
            thread.shutdown(wait=False)


def _engine(connect: Callable[[], sqlite3.Connection], begin: str) -> sa.Engine:
    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.pool.QueuePool, hide_parameters=True)
    log_in_words(engine.pool)

    @sa.event.listens_for(engine, "connect")
    def _(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver would start transactions only at the first write, leaving reads outside
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")  # so that deleted data stays in no free page

    @sa.event.listens_for(engine, "begin")
    def _(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switches a file to WAL. SQLite's busy timeout does not apply to this step: if two processes open a new file at once, one fails
    immediately. So on failure we wait for the other's transaction by running one of our own.
    """
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")


def _make_private(path: Path) -> None:
    """Creates the file, and its folder if missing, for their owner only. SQLite gives its other files the same access."""
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file the path leads to; None if to none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
