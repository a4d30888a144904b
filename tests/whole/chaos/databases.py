"""The journal's databases, and what can happen to each: every fault is a context that mends it at its end."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from tests.journal.conftest import execute
from tests.journal.postgres import Server, cluster, programs
from tests.whole.chaos.disk import filled, small_disk

Fault = Callable[[], AbstractAsyncContextManager[None]]

_SQLITE_DISK_MB = 16
_POSTGRES_DISK_MB = 96


async def _locks(connection: AsyncConnection) -> bool:
    """False if a transaction of the app held one of the tables and waited for the other: PostgreSQL ends either."""
    try:
        await connection.exec_driver_sql("LOCK TABLE earshot_dials, earshot_calls IN ACCESS EXCLUSIVE MODE")
    except DBAPIError as error:
        if "deadlock detected" not in str(error):
            raise
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """`environs` has the settings of each process that shares it. `disk` is None if the disk can't be filled here."""

    url: str
    environs: Sequence[Mapping[str, str]]
    disk: Path | None
    faults: Mapping[str, Fault] = field(default_factory=dict)


@contextmanager
def database_of(engine: str, folder: Path) -> Iterator[Database]:
    """A database of its own on `sqlite` or `postgresql`."""
    made = _sqlite_file(folder) if engine == "sqlite" else _postgres_server(folder)
    with made as database:
        yield database


@contextmanager
def _sqlite_file(folder: Path) -> Iterator[Database]:
    """A file for one process, on a small disk if there is one."""
    with small_disk(_SQLITE_DISK_MB) as disk:
        data = (disk or folder) / "data"
        file = data / "journal.sqlite"

        @asynccontextmanager
        async def locked() -> AsyncIterator[None]:
            with closing(sqlite3.connect(file, isolation_level=None, timeout=30, check_same_thread=False)) as other:
                await asyncio.to_thread(other.execute, "BEGIN EXCLUSIVE")
                yield

        faults: dict[str, Fault] = {"locked": locked}
        if disk:
            faults["disk full"] = lambda: _full(disk)
        yield Database(url=f"sqlite:///{file}", environs=[{"EARSHOT_DATA_DIR": str(data)}], disk=disk, faults=faults)


@contextmanager
def _postgres_server(folder: Path, processes: int = 2) -> Iterator[Database]:
    """A server of its own for several processes, each with a data folder of its own; on a small disk if there is one."""
    found = programs()
    assert found, "PostgreSQL is not installed: `python -m tests.needs test` installs it or says how"
    with small_disk(_POSTGRES_DISK_MB) as disk, cluster(found, disk) as server:
        url = server.url()
        environs = [{"DATABASE_URL": url, "EARSHOT_DATA_DIR": str(folder / f"data-{number}")} for number in range(processes)]
        yield Database(url=url, environs=environs, disk=disk, faults=_faults_of(server, disk))


def _faults_of(server: Server, disk: Path | None) -> dict[str, Fault]:
    url = server.url()

    def stopped(mode: str) -> Fault:
        @asynccontextmanager
        async def fault() -> AsyncIterator[None]:
            await asyncio.to_thread(server.stop, mode)
            try:
                yield
            finally:
                await asyncio.to_thread(server.start)

        return fault

    @asynccontextmanager
    async def locked() -> AsyncIterator[None]:
        engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
        try:
            async with engine.connect() as connection:
                while not await _locks(connection):
                    await connection.rollback()
                yield
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def demoted() -> AsyncIterator[None]:
        try:
            await execute(url, "ALTER SYSTEM SET default_transaction_read_only = on")
            await execute(url, "SELECT pg_reload_conf()")
            yield
        finally:
            await execute(url, "ALTER SYSTEM RESET default_transaction_read_only")
            await execute(url, "SELECT pg_reload_conf()")

    @asynccontextmanager
    async def full() -> AsyncIterator[None]:
        assert disk
        async with _full(disk):
            yield
        if not await asyncio.to_thread(lambda: server.running):  # it gives up when its log does not fit on the disk
            await asyncio.to_thread(server.start)

    faults = {"stopped fast": stopped("fast"), "stopped at once": stopped("immediate"), "locked": locked, "demoted": demoted}
    if disk:
        faults["disk full"] = full
    return faults


@asynccontextmanager
async def _full(disk: Path) -> AsyncIterator[None]:
    with filled(disk):
        yield
