"""Runs the journal's statements, which are functions of a connection and the same for both databases. Only one transaction writes at a
time across all processes, so that what one statement reads still holds when the next one writes.
"""

import asyncio
import logging
import os
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from services.domain.errors import JournalError, Unwritable
from services.journal.watches import FileWatch, Notifications, Watch

log = logging.getLogger(__name__)
T = TypeVar("T")
Work = Callable[[sa.Connection], T]

_PATIENCE = 10  # seconds to wait for a statement or for another process's transaction
_SESSION = {"application_name": "earshot", "idle_in_transaction_session_timeout": str(_PATIENCE * 500)}
"""A process that hangs during a write must not block the others for longer than they wait."""
_WRITERS_LOCK = 0x45617273686F74  # "Earshot" in ASCII: the advisory lock of the writer


class Database(ABC):
    """A database that runs `Work`. Raises JournalError if it can't be reached or written, Unwritable if the work itself is at fault."""

    @abstractmethod
    async def write(self, work: Work[T]) -> T:
        """Runs `work` in a transaction that overlaps with no other process's. It is committed to disk when this returns."""

    @abstractmethod
    async def read(self, work: Work[T]) -> T:
        """Runs `work` concurrently with writes."""

    @abstractmethod
    def watch(self, ignore: str) -> Watch:
        """Notices what other connections write, except, if the database tells, those of the process `ignore`."""

    @abstractmethod
    async def aclose(self) -> None: ...


class Sqlite(Database):
    """One file, used in two threads. A whole transaction takes one hop; aiosqlite takes one per statement and is 6 times slower."""

    def __init__(self, path: Path) -> None:
        self._threads = {begin: ThreadPoolExecutor(1, thread_name_prefix="journal") for begin in ("BEGIN IMMEDIATE", "BEGIN")}
        self._engines = {begin: _sqlite_engine(path, begin) for begin in self._threads}
        self._path = path

    @classmethod
    async def open(cls, path: Path) -> "Sqlite":
        with plain_errors():
            await asyncio.to_thread(_make_private, path)
        return cls(path)

    async def write(self, work: Work[T]) -> T:
        return await self._run("BEGIN IMMEDIATE", work)

    async def read(self, work: Work[T]) -> T:
        return await self._run("BEGIN", work)

    def watch(self, ignore: str) -> Watch:
        return FileWatch(self._path)

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


class Postgres(Database):
    """A PostgreSQL server, possibly shared by several Earshot processes."""

    def __init__(self, url: sa.URL) -> None:
        # Imported here because it loads SQLAlchemy's ORM, which takes 125 ms at start and only PostgreSQL needs.
        from sqlalchemy.ext.asyncio import create_async_engine

        # Read committed: a snapshot from before the writer's lock would miss what the previous writer wrote.
        self._engine = create_async_engine(
            url,
            isolation_level="READ COMMITTED",
            pool_pre_ping=True,
            pool_timeout=_PATIENCE,
            hide_parameters=True,
            connect_args={"timeout": _PATIENCE, "command_timeout": _PATIENCE, "server_settings": _SESSION},
        )

    async def write(self, work: Work[T]) -> T:
        with plain_errors():
            async with self._engine.begin() as connection:
                await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.literal_column(str(_WRITERS_LOCK)))))
                return await connection.run_sync(work)

    async def read(self, work: Work[T]) -> T:
        with plain_errors():
            async with self._engine.connect() as connection:
                return await connection.run_sync(work)

    def watch(self, ignore: str) -> Watch:
        return Notifications(self._engine, ignore)

    async def aclose(self) -> None:
        await self._engine.dispose()


def _sqlite_engine(path: Path, begin: str) -> sa.Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        connect_args={"timeout": _PATIENCE, "check_same_thread": False},
        hide_parameters=True,
    )

    @sa.event.listens_for(engine, "connect")
    def _(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver would start transactions only at the first write, leaving reads outside
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

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


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turns errors of the database and its files into JournalError."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, OSError) as error:
        if _is_the_works_fault(error):
            log.exception("the database rejects a write")
            raise Unwritable(f"The journal's database rejects this write ({type(error).__name__}).") from error
        raise _unusable(error) from error


def _is_the_works_fault(error: Exception) -> bool:
    """True for data, integrity and syntax errors: by SQLAlchemy's class or, because it ignores that with asyncpg, by the SQLSTATE."""
    of_work = isinstance(error, sa.exc.DataError | sa.exc.IntegrityError | sa.exc.ProgrammingError)
    return of_work or str(getattr(getattr(error, "orig", None), "sqlstate", "")).startswith(("22", "23", "42"))


def _unusable(error: Exception) -> JournalError:
    cause = getattr(error, "orig", None) or error
    log.error("the journal is unavailable: %s: %s", type(cause).__name__, cause)
    reason = "its database does not answer" if isinstance(cause, TimeoutError | ConnectionError) else str(cause).partition("\n")[0]
    return JournalError(f"The journal can't be used, and nothing is dialled that is not written down: {reason or type(cause).__name__}.")
