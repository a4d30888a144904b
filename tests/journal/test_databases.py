"""A database that a test borrows is as new, whatever the test before did to it."""

from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest

from tests.journal.conftest import execute
from tests.journal.databases import Databases

pytestmark = [pytest.mark.process, pytest.mark.slow]

NOTED = """
    INSERT INTO earshot_audit (at, who, action, outcome, detail, words)
    SELECT 0, 'ann', 'dial', 'done', '', '' FROM generate_series(1, {})
"""


@pytest.fixture
def databases(postgres: Path) -> Databases:
    return Databases(str(postgres))


async def rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    tables = await execute(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    return {table: [tuple(row) for row in await execute(url, f"SELECT * FROM {table}")] for (table,) in tables}  # noqa: S608 - our tables


async def test_what_was_written_is_gone_and_numbers_begin_again(databases: Databases) -> None:
    async with databases.borrowed(empty=False) as first:
        before = await rows(first)
        await execute(first, NOTED.format(3))
        await execute(first, "UPDATE earshot_revision SET number = 7")
    async with databases.borrowed(empty=False) as again:
        after = await rows(again)
        await execute(again, NOTED.format(1))
        ((number,),) = await execute(again, "SELECT id FROM earshot_audit")

    assert again == first
    assert after == before
    assert [table for table, content in before.items() if content] == ["earshot_revision", "earshot_schema"]
    assert number == 1


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE other (number INT)",
        "ALTER TABLE earshot_audit ADD CONSTRAINT no_bob CHECK (who <> 'bob')",
        "ALTER TABLE earshot_audit DROP COLUMN words",
        "CREATE TRIGGER late BEFORE UPDATE ON earshot_audit EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "DROP INDEX earshot_audit_call",
        "ALTER DATABASE {name} SET default_transaction_read_only = on",
        NOTED.format(5000),  # deleted, they would slow down all tests to come
    ],
)
async def test_one_that_is_no_longer_like_a_new_one_is_not_lent_again(databases: Databases, change: str) -> None:
    async with databases.borrowed(empty=False) as first:
        await execute(first, change.replace("{name}", first.partition("?")[0].rpartition("/")[2]))
    async with databases.borrowed(empty=False) as second:
        assert second != first


async def test_one_that_is_still_in_use_is_not_lent_again(databases: Databases) -> None:
    async with databases.borrowed(empty=False) as first:
        stays = await asyncpg.connect(first)
    async with databases.borrowed(empty=False) as second:
        assert second != first
    await stays.close()


async def test_an_empty_one_is_always_new(databases: Databases) -> None:
    async with databases.borrowed(empty=True) as first:
        assert await rows(first) == {}
    async with databases.borrowed(empty=True) as second:
        assert second != first
