"""Which processes are alive, so that another one resumes the unfinished dials of a dead one."""

import asyncio
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from filelock import FileLock, Timeout

from services.journal.database.database import Database, plain_errors
from services.journal.database.schema import instances

HEARTBEAT = 5.0  # seconds
_STALE = 20_000  # milliseconds without a heartbeat after which a process counts as gone


class Presence(Protocol):
    """This process among the processes that share a database."""

    async def join(self) -> None:
        """Registers this process; repeated at each heartbeat."""

    def living(self, connection: sa.Connection, others: set[str]) -> set[str]:
        """The members of `others` that may still be running."""

    async def leave(self) -> None: ...


class LockFiles:
    """SQLite: all processes are on this machine, and each holds a lock on its own file. The system releases it however the process
    ends, so a restart after `kill -9` waits for nothing, even beside other running processes.
    """

    def __init__(self, database: Path, instance: str) -> None:
        self._folder = database.with_name(f"{database.name}-processes")
        self._lock = FileLock(self._file(instance), mode=0o600, thread_local=False)

    async def join(self) -> None:
        if not self._lock.is_locked:
            with plain_errors():
                await asyncio.to_thread(self._folder.mkdir, mode=0o700, exist_ok=True)
                await asyncio.to_thread(self._lock.acquire, timeout=0)

    def living(self, _connection: sa.Connection, others: set[str]) -> set[str]:
        return {instance for instance in others if self._held(self._file(instance))}

    async def leave(self) -> None:
        await asyncio.to_thread(self._let_go)

    def _file(self, instance: str) -> Path:
        return self._folder / f"{instance}.lock"

    def _held(self, file: Path) -> bool:
        if not file.exists():
            return False
        try:
            FileLock(file, timeout=0).acquire().lock.release()
        except Timeout:
            return True
        file.unlink(missing_ok=True)
        return False

    def _let_go(self) -> None:
        self._lock.release()
        Path(self._lock.lock_file).unlink(missing_ok=True)


class Heartbeats:
    """PostgreSQL: processes may be on any machine and report to the database. Only its clock counts."""

    _NOW = sa.literal_column("CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)", sa.BigInteger)

    def __init__(self, database: Database, instance: str) -> None:
        self._database = database
        self._instance = instance

    async def join(self) -> None:
        await self._database.write(self._beat)

    def living(self, connection: sa.Connection, others: set[str]) -> set[str]:
        seen_lately = sa.select(instances.c.id).where(instances.c.id.in_(others), instances.c.seen_at > self._NOW - _STALE)
        return set(connection.execute(seen_lately).scalars())

    async def leave(self) -> None:
        await self._database.write(self._forget)

    def _beat(self, connection: sa.Connection) -> None:
        mine = instances.c.id == self._instance
        if connection.execute(instances.update().where(mine).values(seen_at=self._NOW)).rowcount == 0:
            connection.execute(instances.delete().where(instances.c.seen_at < self._NOW - 100 * _STALE))
            connection.execute(instances.insert().values(id=self._instance, seen_at=self._NOW))

    def _forget(self, connection: sa.Connection) -> None:
        connection.execute(instances.delete().where(instances.c.id == self._instance))
