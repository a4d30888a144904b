"""Each journal has its own engines, and each of them compiles each statement anew, which takes longer than to execute it.

In the tests those of all SQLite files share what they have compiled, and those of all PostgreSQL databases: each kind has the same dialect,
driver and version.
"""

from functools import wraps
from typing import Any

from services.journal.database import sqlite
from services.journal.database.postgres import Postgres


class _Compiled(dict[Any, Any]):
    """What SQLAlchemy keeps per statement and dialect, by the statement alone."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(key[1:], compiled)


def share() -> None:
    """From now on, for good. May be called again."""
    if not hasattr(sqlite._engine, "__wrapped__"):
        vars(sqlite)["_engine"] = _sharing_engine(sqlite._engine, _Compiled())
        Postgres.__init__ = _sharing_journal(Postgres.__init__, _Compiled())  # type: ignore[method-assign]


def _sharing_engine(make: Any, compiled: _Compiled) -> Any:
    @wraps(make)
    def engine(*arguments: Any) -> Any:
        made = make(*arguments)
        made._compiled_cache = compiled
        return made

    return engine


def _sharing_journal(make: Any, compiled: _Compiled) -> Any:
    @wraps(make)
    def journal(self: Postgres, *arguments: Any, **more: Any) -> None:
        make(self, *arguments, **more)
        self._engine.sync_engine._compiled_cache = compiled

    return journal
