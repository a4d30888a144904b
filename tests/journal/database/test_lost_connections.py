"""Connections to a database that break while nobody waits for them."""

import logging
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.util import greenlet_spawn

from services.journal.database.postgres import Postgres
from services.journal.database.sqlite import Sqlite
from tests.journal.conftest import execute


async def test_one_to_sqlite_is_said_in_words_without_a_stack_trace(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = await Sqlite.open(tmp_path / "journal.sqlite")
    pooled = database._engines["BEGIN"].raw_connection()
    pooled.driver_connection.close()  # type: ignore[union-attr]
    pooled.close()
    await database.aclose()
    assert_said(caplog, times=1)


@pytest.mark.process
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_one_to_postgresql_that_breaks_after_a_transaction_is_said_in_words_without_a_stack_trace(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):  # a second one adds nothing to it
        database = Postgres(sa.make_url(url).set(drivername="postgresql+asyncpg"))
        pooled, number = await greenlet_spawn(_taken, database._engine.sync_engine)
        await execute(url, f"SELECT pg_terminate_backend({number}, 10000)")
        await greenlet_spawn(pooled.close)
        await database.aclose()
    assert_said(caplog, times=2)


def assert_said(caplog: pytest.LogCaptureFixture, times: int) -> None:
    said = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [(record.name, record.exc_info) for record in said] == [("services.journal.database.database", None)] * times
    assert all("a connection to the database broke (" in record.getMessage() for record in said)


def _taken(engine: sa.Engine) -> tuple[sa.PoolProxiedConnection, int]:
    """A connection of the pool, in a transaction, and the number of its process in the server."""
    pooled = engine.raw_connection()
    cursor = pooled.cursor()
    cursor.execute("SELECT pg_backend_pid()")
    row = cursor.fetchone()
    assert row
    return pooled, row[0]
