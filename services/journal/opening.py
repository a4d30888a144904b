"""Opens the journal's database, and migrates it first if need be."""

from collections.abc import Iterable
from dataclasses import dataclass
from inspect import signature
from pathlib import Path

import sqlalchemy as sa

from services.domain.errors import JournalError
from services.journal.database.database import Database
from services.journal.database.migrations import migrate
from services.journal.database.postgres import Postgres
from services.journal.database.sqlite import Sqlite
from services.journal.processes.presence import Heartbeats, LockFiles, Presence


@dataclass(frozen=True, slots=True)
class Opened:
    """A database with the current schema, and this process's presence in it."""

    database: Database
    presence: Presence


async def open_database(at: str | Path, instance: str) -> Opened:
    """Opens what `at` names, as the process `instance`. Creates or migrates it if needed. Raises JournalError."""
    where = place_of(at)
    if isinstance(where, Path):
        database: Database = await Sqlite.open(where)
        presence: Presence = LockFiles(where, instance)
    else:
        database = Postgres(where)
        presence = Heartbeats(database, instance)
    try:
        await _migrate(database, where)
        await presence.join()
    except BaseException:
        await database.aclose()
        raise
    return Opened(database, presence)


async def _migrate(database: Database, where: Path | sa.URL) -> None:
    if isinstance(where, Path):
        await database.write(migrate)
        return
    patient = Postgres(where, statement_s=None)  # indexing 100,000 transcripts takes longer than a statement may take otherwise
    try:
        await patient.write(migrate)
    finally:
        await patient.aclose()


def place_of(at: str | Path) -> Path | sa.URL:
    """The SQLite file or the PostgreSQL URL that `at` names. Raises JournalError."""
    if isinstance(at, Path):
        return at
    try:
        url = sa.make_url(at)
    except sa.exc.ArgumentError:
        raise JournalError("DATABASE_URL can't be read. It looks like postgresql://user:password@host/database.") from None
    backend = {"postgres": "postgresql"}.get(url.get_backend_name(), url.get_backend_name())
    if backend == "sqlite" and url.database and url.database != ":memory:":
        return Path(url.database)
    if backend == "postgresql":
        # The name that other PostgreSQL tools know the option by.
        query = {"ssl" if name == "sslmode" else name: value for name, value in url.query.items()}
        _require_known(query)
        return url.set(drivername="postgresql+asyncpg", query=query)
    raise JournalError("DATABASE_URL must name an SQLite file or a PostgreSQL database: sqlite:///path or postgresql://...")


def _require_known(options: Iterable[str]) -> None:
    """Raises JournalError for options of DATABASE_URL that the driver would end the process for."""
    from asyncpg import connect  # type: ignore[import-untyped]

    if unknown := sorted(set(options) - {*signature(connect).parameters, "prepared_statement_cache_size"}):
        raise JournalError(
            f"DATABASE_URL has options that Earshot does not know: {', '.join(unknown)}. Leave them out. Certificates may be named in"
            " PGSSLROOTCERT, PGSSLCERT and PGSSLKEY."
        )
