"""What happens to the journal's file and its copies, and to a server that becomes a standby."""

import asyncio
import os
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from services.domain.errors import JournalError, KeyInProgress
from services.journal import Journal
from services.journal.backup import back_up
from services.journal.database.sqlite import Sqlite
from tests.journal.conftest import an_order, execute
from tests.journal.tables.test_dials import a_call, begin
from tests.patience import HANG_S


@pytest.fixture
async def in_file(tmp_path: Path) -> AsyncIterator[tuple[Journal, Path]]:
    path = tmp_path / "data" / "journal.sqlite"
    journal = await Journal.open(path)
    yield journal, path
    await journal.aclose()


async def test_nothing_is_begun_once_the_file_is_deleted_and_it_works_again_once_it_is_back(in_file: tuple[Journal, Path]) -> None:
    journal, path = in_file
    order = an_order()
    await begin(journal, order)
    away = path.rename(path.with_name("away"))
    with pytest.raises(JournalError, match="deleted or replaced"):
        await begin(journal, an_order(), key="other")
    await journal.settle(order.tag, call=a_call(order), state="placed")
    assert not path.exists(), "no new, empty file was created"
    away.rename(path)
    async with asyncio.timeout(HANG_S):
        while journal.waiting:  # noqa: ASYNC110 - whenever it is
            await asyncio.sleep(0.01)
    assert (await begin(journal, an_order())).replay == a_call(order)


async def test_a_new_connection_creates_no_file(tmp_path: Path) -> None:
    database = await Sqlite.open(tmp_path / "journal.sqlite")
    (tmp_path / "journal.sqlite").unlink()
    with pytest.raises(JournalError):
        await database.read(lambda _: None)
    assert os.listdir(tmp_path) == []
    await database.aclose()


@pytest.mark.slow
async def test_nothing_is_begun_once_the_file_is_replaced(in_file: tuple[Journal, Path], tmp_path: Path) -> None:
    journal, path = in_file
    back_up(path, tmp_path / "copy")
    (tmp_path / "copy").replace(path)
    with pytest.raises(JournalError, match="deleted or replaced"):
        await begin(journal, an_order())


async def test_a_connection_made_once_the_file_is_replaced_leaves_the_others_their_memory(tmp_path: Path) -> None:
    """SQLite takes it for the first to use the file and cuts off the index of the log, which the others have mapped: the next of them to
    look there ends the process (SIGBUS)."""
    path = tmp_path / "journal.sqlite"
    database = await Sqlite.open(path)
    await database.write(lambda connection: connection.exec_driver_sql("CREATE TABLE kept (number INT)"))
    back_up(path, tmp_path / "copy")
    (tmp_path / "copy").replace(path)
    watch = database.watch("")
    for using in (database.read(lambda _: None), watch.wait(), database.write(lambda _: None)):
        with pytest.raises(JournalError, match="deleted or replaced"):
            await using
    await watch.aclose()
    await database.aclose()


@pytest.mark.parametrize("name", ["a?mode=memory", "a%20b", "a#b", "a b"])
async def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "journal.sqlite"
    journal = await Journal.open(path)
    await journal.follow(lambda _: None)
    await begin(journal, an_order())
    await journal.aclose()
    assert path.is_file()
    assert os.listdir(tmp_path) == [name]


@pytest.mark.slow
async def test_a_backup_of_a_running_journal_is_whole_and_private(in_file: tuple[Journal, Path], tmp_path: Path) -> None:
    journal, path = in_file
    order = an_order()
    await begin(journal, order)
    await journal.save(a_call(order))
    copy = tmp_path / "copy?#%20"
    back_up(path, copy)
    await journal.save(a_call(an_order(), id_="call-2"))
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["copy?#%20", "data"]
    restored = await Journal.open(copy)
    assert await restored.calls() == [a_call(order)]
    with pytest.raises(KeyInProgress):
        await begin(restored, an_order())
    await restored.aclose()


def test_a_backup_overwrites_nothing_and_names_what_else_to_use(tmp_path: Path) -> None:
    journal, copy = tmp_path / "journal", tmp_path / "copy"
    with pytest.raises(JournalError, match="no journal"):
        back_up(journal, copy)
    with closing(sqlite3.connect(journal)) as file:
        file.execute("CREATE TABLE t (x)")
    copy.write_text("precious")
    with pytest.raises(JournalError, match="exists"):
        back_up(journal, copy)
    assert copy.read_text() == "precious"
    with pytest.raises(JournalError, match="pg_dump"):
        back_up("postgresql://earshot@host/journal", tmp_path / "other")
    with pytest.raises(JournalError, match="could not be copied"):
        back_up(copy, tmp_path / "other")
    assert not (tmp_path / "other").exists()


@pytest.mark.process
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_connections_to_a_server_that_became_read_only_are_not_kept(url: str, journal: Journal) -> None:
    name = url.partition("?")[0].rpartition("/")[2]
    server = url.replace(f"/{name}?", "/postgres?")
    await execute(server, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await execute(server, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608 - our own name
    async with asyncio.timeout(HANG_S):
        while "read-only" not in await why_not(journal):  # noqa: ASYNC110 - first the broken connections go
            await asyncio.sleep(0.01)
    await asyncio.gather(*(journal.calls() for _ in range(5)))  # a pool of several
    await execute(server, f"ALTER DATABASE {name} SET default_transaction_read_only = off")
    await why_not(journal)  # a connection from before may still be in use
    assert await why_not(journal) == ""


async def why_not(journal: Journal) -> str:
    """Why no dial can be begun; empty if one was."""
    try:
        await begin(journal, an_order(), key=None)
    except JournalError as error:
        return error.detail
    return ""


async def test_missing_folders_are_created_and_no_lock_file_stays_behind(tmp_path: Path) -> None:
    path = tmp_path / "not" / "yet" / "there" / "journal.sqlite"
    journal = await Journal.open(path)
    assert list(path.parent.rglob("*.lock"))
    await journal.aclose()
    assert not list(path.parent.rglob("*.lock"))


async def test_the_lock_file_of_a_dead_process_is_removed_with_the_takeover_of_its_dials(in_file: tuple[Journal, Path]) -> None:
    journal, path = in_file
    order = an_order()
    await begin(journal, order)
    await execute(f"sqlite:///{path}", "UPDATE earshot_dials SET instance = 'dead'")
    [folder] = {file.parent for file in path.parent.rglob("*.lock")}
    (folder / "dead.lock").touch()
    assert [dial.order for dial in await journal.unsettled()] == [order]
    assert [file.name for file in folder.iterdir()] == [f"{journal.instance}.lock"]


async def test_a_backup_is_one_file_that_needs_no_other(in_file: tuple[Journal, Path], tmp_path: Path) -> None:
    back_up(in_file[1], tmp_path / "copy")
    write_version, read_version = (tmp_path / "copy").read_bytes()[18:20]
    assert (write_version, read_version) == (1, 1), "2 is for a file with a write-ahead log beside it"


async def test_a_closed_journal_leaves_no_task_and_no_thread(tmp_path: Path) -> None:
    tasks, threads = asyncio.all_tasks(), set(threading.enumerate())
    journal = await Journal.open(tmp_path / "journal.sqlite")
    await journal.follow(lambda _news: None)
    await begin(journal, an_order())
    await journal.aclose()
    assert asyncio.all_tasks() == tasks
    async with asyncio.timeout(HANG_S):
        while [thread for thread in set(threading.enumerate()) - threads if "journal" in thread.name]:  # noqa: ASYNC110 - they end by themselves
            await asyncio.sleep(0.01)
