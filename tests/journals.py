"""A journal in a file of a test's own. A new file starts as a copy of a migrated one: migrating takes longer than most tests."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from services.journal import Journal, opening
from services.journal.database.migrations import migrate

_migrated = b""


async def open_journal(at: Path | str, *, tidies: bool = False, **arguments: Any) -> Journal:
    """The journal in this file or at this URL, as `Journal.open` opens it, except that it deletes no outdated rows by itself: else a test
    whose rows have a fixed date would fail from some day on, or whenever the deleting comes before its reading.
    """
    if vars(opening)["migrate"] is migrate and not str(at).startswith("postgresql:"):  # else the test wants another schema
        await _copy_to(str(at).removeprefix("sqlite:///"))
    return await Journal.open(at, tidies=tidies, **arguments)


async def _copy_to(path: str) -> None:
    global _migrated
    if not _migrated:
        with TemporaryDirectory() as folder:
            await (await Journal.open(Path(folder) / "journal.sqlite")).aclose()
            _migrated = _read(Path(folder) / "journal.sqlite")
    _create(Path(path), _migrated)


def _read(file: Path) -> bytes:
    return file.read_bytes()


def _create(file: Path, content: bytes) -> None:
    """Writes the file if there is none."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def last_march() -> int:
    """The year of the last March whose first half is over: its rows are at most 390 days old, and a process deletes those over 400."""
    return (datetime.now(UTC) - timedelta(days=75)).year
