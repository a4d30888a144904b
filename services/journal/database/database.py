"""Runs the journal's statements, which are functions of a connection and the same for both databases. Only one transaction writes at a
time across all processes, so that what one statement reads still holds when the next one writes.
"""

import errno
import logging
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import sqlalchemy as sa

from services.domain.errors import JournalError, Unwritable
from services.journal.database.watches import Watch
from services.support.rarely import Rarely

log = logging.getLogger(__name__)
T = TypeVar("T")
Work = Callable[[sa.Connection], T]

PATIENCE_S = 10  # for a statement or for another process's transaction
_rarely = Rarely(60)
_NO_WAY = (errno.ENOENT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, None)
"""Of a socket: its file is missing, or there is no route. asyncio raises an error without a number if a name has several addresses and none
of them answers."""


class Database(ABC):
    """A database that runs `Work`. Raises JournalError if it can't be reached or written, Unwritable if the work itself is at fault."""

    @abstractmethod
    async def write(self, work: Work[T]) -> T:
        """Runs `work` in a transaction that overlaps with no other process's. It is committed to disk when this returns."""

    @abstractmethod
    async def read(self, work: Work[T]) -> T:
        """Runs `work` concurrently with writes."""

    @abstractmethod
    def watch(self, ignore: str) -> Watch:
        """Notices what other connections write, except, if the database tells, those of the process `ignore`."""

    @abstractmethod
    async def scour(self) -> None:
        """Removes deleted data from the database's files, as far as Earshot can."""

    @abstractmethod
    async def aclose(self) -> None: ...


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turns errors of the database and its files into JournalError."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, OSError) as error:
        if _is_the_works_fault(error):
            log.exception("the database rejects a write")
            raise Unwritable(f"The journal's database rejects this write ({type(error).__name__}).") from error
        raise _unusable(error) from error


def log_in_words(pool: sa.Pool) -> None:
    """Lets a pool of this kind log a connection that breaks while the pool takes it back in one line. SQLAlchemy logs a stack trace."""
    kind = type(pool)
    logging.getLogger(f"{kind.__module__}.{kind.__name__}").addFilter(_in_words)


def _in_words(record: logging.LogRecord) -> bool:
    error = record.exc_info and record.exc_info[1]
    if error:
        log.warning("a connection to the database broke (%s); it will be replaced", type(getattr(error, "orig", None) or error).__name__)
    return not error


def _is_the_works_fault(error: Exception) -> bool:
    """True for data, integrity and syntax errors: by the SQLSTATE or, on SQLite, by SQLAlchemy's class.

    A missing right (42501) or table (42P01) is the database's fault: an operator can change that.
    """
    if state := sqlstate(error):
        return state.startswith(("22", "23", "42")) and state not in ("42501", "42P01")
    return isinstance(error, sa.exc.DataError | sa.exc.IntegrityError | sa.exc.ProgrammingError)


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's code of an error; empty if it has none."""
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def _unusable(error: Exception) -> JournalError:
    cause = getattr(error, "orig", None) or error
    if _rarely((type(cause), str(cause))):
        log.error("the journal is unavailable: %s: %s", type(cause).__name__, cause)
    reason = _network_trouble(cause) or str(cause).partition("\n")[0]
    return JournalError(f"The journal can't be used, and nothing is dialled that is not written down: {reason or type(cause).__name__}.")


def _network_trouble(cause: BaseException) -> str | None:
    """Why the server can't be reached, in plain words; None if that is not the trouble."""
    if isinstance(cause, socket.gaierror):
        return "the name of its database's server can't be resolved"
    no_way = isinstance(cause, OSError) and cause.errno in _NO_WAY and cause.filename is None
    return "its database does not answer" if no_way or isinstance(cause, TimeoutError | ConnectionError) else None
