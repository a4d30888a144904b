"""Every test of the journal runs on SQLite and on PostgreSQL."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.journal import Journal
from tests import journals
from tests.journal.databases import Databases
from tests.journal.orders import an_order as an_order
from tests.journal.postgres import cluster, programs

_databases: dict[str, Databases] = {}
"""By the server's folder."""

Open = Callable[..., Awaitable[Journal]]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL is not installed: `python -m tests.needs test` installs it or says how")
    with cluster(found) as server:
        yield server.folder


@pytest.fixture
def starts_empty() -> bool:
    """False: a test's PostgreSQL database is migrated, as `tests.journals` has it for SQLite."""
    return False


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.process)])
async def url(request: pytest.FixtureRequest, tmp_path: Path, starts_empty: bool) -> AsyncIterator[str]:
    """A new database of each kind, or one that is as new. That of SQLite is empty until a journal is opened there."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'data' / 'journal.db'}"
        return
    folder = str(request.getfixturevalue("postgres"))
    async with _databases.setdefault(folder, Databases(folder)).borrowed(empty=starts_empty) as borrowed:
        yield borrowed


async def execute(url: str, statement: str) -> Sequence[Sequence[Any]]:
    """Runs one statement beside the journal, and answers with its rows."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as file:
            return file.execute(statement).fetchall()
    from sqlalchemy.ext.asyncio import create_async_engine  # loads the ORM, which nothing on SQLite needs

    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"), isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            result = await connection.exec_driver_sql(statement)
            return result.all() if result.returns_rows else ()
    finally:
        await engine.dispose()


class Clock:
    """Time that passes only in `pass_`."""

    def __init__(self) -> None:
        self.now = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, time: timedelta) -> None:
        self.now += time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opening() -> Open:
    """How a journal at a URL is opened. Tests of the schema begin without one."""
    return journals.open_journal


@pytest.fixture
async def open_journal(url: str, opening: Open) -> AsyncIterator[Open]:
    """Opens journals of one database, each as a process would; closed when the test is over."""
    opened: list[Journal] = []

    async def open_(**arguments: object) -> Journal:
        opened.append(await opening(url, **arguments))
        return opened[-1]

    yield open_
    for journal in opened:
        await journal.aclose()


@pytest.fixture
async def journal(open_journal: Open, clock: Clock) -> Journal:
    return await open_journal(now=clock)
