"""PostgreSQL databases for tests, one after another. A database that is emptied takes a tenth of the time of a new one."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg  # type: ignore[import-untyped]

from tests import journals

_EMPTY = "template1"
_numbers = itertools.count()

# Of a database that has its schema: changes if a table, a column or a trigger does, if a table has grown, whose deleted rows would be read
# again and again, and if somebody is connected.
_SIGNATURE = """
    SELECT (SELECT string_agg(oid::text || xmin::text, ' ' ORDER BY oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
        (SELECT string_agg(attrelid::text || attname || xmin::text, ' ' ORDER BY attrelid, attnum) FROM pg_attribute
            WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)),
        (SELECT string_agg(oid::text || xmin::text, ' ' ORDER BY oid) FROM pg_trigger),
        (SELECT string_agg(setting.setconfig::text, ' ') FROM pg_db_role_setting AS setting
            JOIN pg_database AS database ON database.oid = setting.setdatabase AND database.datname = current_database()),
        (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 65536),
        (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid())
"""

# Without the triggers that tell processes, and whatever refers to what.
_EMPTIES = """
    SELECT 'SET session_replication_role = replica; SET lock_timeout = ''5s''; ' || string_agg(
        format(CASE relkind WHEN 'S' THEN 'SELECT setval(%L, 1, false)' ELSE 'DELETE FROM %s' END, oid::regclass), '; '
    ) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')
"""


class Databases:
    """Those of one server. Whoever borrows one has it alone."""

    def __init__(self, folder: str) -> None:
        self._server = f"postgresql://earshot@/%s?host={folder}"
        self._free: list[str] = []
        self._template = ""
        """What a migrated one is copied from, and how."""
        self._signature: asyncpg.Record | None = None
        self._empties = ""

    @asynccontextmanager
    async def borrowed(self, *, empty: bool) -> AsyncIterator[str]:
        """The URL of a database that is migrated and else as new, or that is `empty`."""
        if not empty and not self._template:
            self._template = await self._make_template()
        if empty or not self._free:
            name = f"journal_{next(_numbers)}"
            await self._execute("postgres", f"CREATE DATABASE {name} TEMPLATE {_EMPTY if empty else self._template}")
        else:
            name = self._free.pop()
        yield self._server % name
        if not empty and await self._as_new(name):
            self._free.append(name)

    async def _make_template(self) -> str:
        name = f"migrated_{next(_numbers)}"
        await self._execute("postgres", f"CREATE DATABASE {name}")
        await (await journals.open_journal(self._server % name)).aclose()
        connection = await asyncpg.connect(self._server % name)
        try:
            self._signature = await connection.fetchrow(_SIGNATURE)
            self._empties = await connection.fetchval(_EMPTIES)
            for (table,) in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
                rows = await connection.fetchval(f"SELECT json_agg(t) FROM {table} AS t")  # noqa: S608 - our own tables
                if rows:
                    restored = await connection.fetchval(
                        "SELECT format('INSERT INTO %I SELECT * FROM json_populate_recordset(NULL::%I, %L)', $1::text, $1::text, $2::text)",
                        table,
                        rows,
                    )
                    self._empties += f"; {restored}"
            files = connection.get_server_version().major >= 15
        finally:
            await connection.close()
        # Copied by files: in half the time of a copy through the log, as PostgreSQL does it from 15 on.
        return f"{name} STRATEGY FILE_COPY" if files else name

    async def _as_new(self, name: str) -> bool:
        """Empties it. False if it is not what it was apart from its rows, or is still used: nobody borrows it again."""
        try:
            connection = await asyncpg.connect(self._server % name)
        except asyncpg.PostgresError:
            return False
        try:
            if await connection.fetchrow(_SIGNATURE) != self._signature:
                return False
            await connection.execute(self._empties)
        except asyncpg.LockNotAvailableError:
            return False
        finally:
            await connection.close()
        return True

    async def _execute(self, name: str, statement: str) -> None:
        connection = await asyncpg.connect(self._server % name)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
