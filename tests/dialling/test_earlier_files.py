"""The block list and the stop switch of earlier versions are imported once."""

import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.dialling.block_list import BlockList
from services.dialling.earlier_files import import_files
from services.dialling.switch import Switch
from services.journal import Journal
from tests.journals import open_journal


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = await open_journal(f"sqlite:///{tmp_path / 'journal' / 'journal.sqlite'}")
    yield journal
    await journal.aclose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


async def test_the_rules_of_a_file_are_added_and_the_file_is_marked(
    journal: Journal, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "blocked.txt").write_text("# ours\n\n+1 (415) 555-2671  # the neighbour\n1900*\n+1901*\n", "utf-8-sig")
    blocked, switch = BlockList(journal), Switch(journal)
    await blocked.add("+1902*")
    with caplog.at_level(logging.WARNING):
        await import_files(folder, blocked, switch, rename=True)
    assert blocked.rules == ("+1902*", "+14155552671", "+1901*")
    assert switch.state is None
    assert os.listdir(folder) == ["blocked.txt.imported"]
    assert "invalid lines, which block nothing: 4" in caplog.text
    await blocked.remove("+1901*")
    await import_files(folder, blocked, switch, rename=True)
    assert set(blocked.rules) == {"+1902*", "+14155552671"}


@pytest.mark.parametrize(
    ("text", "by", "reason"),
    [
        ('{"by": "page", "since": "2026-01-01T00:00:00+00:00", "reason": "lunch"}', "page", "lunch"),
        ("", "file", ""),
        ("lunch", "file", "lunch"),
        ("[]", "file", "[]"),
    ],
)
async def test_a_stop_file_stops_whatever_it_contains(journal: Journal, folder: Path, text: str, by: str, reason: str) -> None:
    (folder / "stopped").write_text(text)
    switch = Switch(journal)
    await import_files(folder, BlockList(journal), switch, rename=True)
    again = Switch(journal)
    await again.load()
    assert again.state
    assert (again.state.by, again.state.reason) == (by, reason)
    await again.resume("page")
    await import_files(folder, BlockList(journal), again, rename=True)
    assert again.state is None


async def test_without_renaming_the_files_stay_for_the_next_start(journal: Journal, folder: Path) -> None:
    (folder / "blocked.txt").write_text("+1900*\n")
    (folder / "stopped").touch()
    await import_files(folder, BlockList(journal), Switch(journal), rename=False)
    assert sorted(os.listdir(folder)) == ["blocked.txt", "stopped"]
