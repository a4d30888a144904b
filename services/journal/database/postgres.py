"""The journal in a PostgreSQL server, for any number of processes on any machines."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa

from services.journal.database.database import PATIENCE_S, Database, Work, log_in_words, plain_errors, sqlstate
from services.journal.database.watches import Notifications, Watch

if TYPE_CHECKING:  # it loads SQLAlchemy's ORM
    from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")

_SESSION = {"application_name": "earshot", "idle_in_transaction_session_timeout": str(PATIENCE_S * 500)}
"""A process that hangs during a write must not block the others for longer than they wait."""
_WRITERS_LOCK = 0x45617273686F74  # "Earshot" in ASCII: the advisory lock of the writer
_DEAD = ("08", "25006", "57P01", "57P02", "57P03")
"""SQLSTATEs after which a connection is of no use: it broke, leads to a primary that has become a standby, or the server stops."""


class Postgres(Database):
    """A PostgreSQL server, possibly shared by several Earshot processes. A statement may take `statement_s` seconds; None: any time."""

    def __init__(self, url: sa.URL, statement_s: float | None = PATIENCE_S) -> None:
        # Imported here because it loads SQLAlchemy's ORM, which takes 125 ms at start and only PostgreSQL needs.
        from sqlalchemy.ext.asyncio import create_async_engine

        # Read committed: a snapshot from before the writer's lock would miss what the previous writer wrote.
        self._engine = create_async_engine(
            url,
            isolation_level="READ COMMITTED",
            pool_pre_ping=True,
            pool_timeout=PATIENCE_S,
            hide_parameters=True,
            connect_args={"timeout": PATIENCE_S, "command_timeout": statement_s, "server_settings": _SESSION},
        )
        log_in_words(self._engine.pool)

    async def write(self, work: Work[T]) -> T:
        async def locked(connection: "AsyncConnection") -> T:
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.literal_column(str(_WRITERS_LOCK)))))
            result = await connection.run_sync(work)
            await connection.commit()
            return result

        return await self._run(locked)

    async def read(self, work: Work[T]) -> T:
        return await self._run(lambda connection: connection.run_sync(work))

    async def _run(self, use: Callable[["AsyncConnection"], Awaitable[T]]) -> T:
        with plain_errors():
            async with self._engine.connect() as connection:
                try:
                    return await use(connection)
                except (sa.exc.SQLAlchemyError, OSError) as error:
                    if isinstance(error, OSError) or sqlstate(error).startswith(_DEAD):
                        # The pool's other connections lead to the same server. The next one that is opened may find a better one.
                        await connection.invalidate()
                        await self._engine.dispose()
                    raise

    def watch(self, ignore: str) -> Watch:
        return Notifications(self._engine, ignore)

    async def scour(self) -> None:
        """Left to the server: autovacuum overwrites the space of deleted rows, and backups and archived logs are its owner's."""

    async def aclose(self) -> None:
        await self._engine.dispose()
