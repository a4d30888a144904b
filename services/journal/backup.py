"""A consistent copy of a running SQLite journal, for `python main.py --backup FILE`."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from services.domain.errors import JournalError
from services.journal.opening import place_of


def back_up(at: str | Path, copy: Path) -> None:
    """Copies the journal at `at` into the new file `copy`, which only its owner may read. Processes may go on writing meanwhile.

    Raises JournalError, also if `copy` exists or the journal is in PostgreSQL.
    """
    journal = place_of(at)
    if not isinstance(journal, Path):
        raise JournalError("This journal is in PostgreSQL. Back it up with pg_dump.")
    if not journal.is_file():
        raise JournalError(f"There is no journal at {journal}.")
    try:
        os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise JournalError(f"{copy} exists. Name a new file for the backup.") from None
    except OSError as error:
        raise JournalError(f"{copy} can't be written: {error.strerror}.") from error
    try:
        with closing(_connection(journal, "ro")) as source, closing(_connection(copy, "rw")) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")  # one file, to be copied anywhere
    except sqlite3.Error as error:
        copy.unlink(missing_ok=True)
        raise JournalError(f"The journal could not be copied: {error}.") from error


def _connection(file: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file.absolute()))}?mode={mode}", uri=True, isolation_level=None)
