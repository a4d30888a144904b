"""Which tests need a browser or start a process: marked at collection, and held to it while they run, so that `make quick` stays quick.

`pyproject.toml` says what the markers mean.
"""

import sys
from pathlib import Path
from typing import Any

import pytest

FOLDERS = {"browser": "browser", "whole": "process"}
"""Folders all of whose tests are of one kind. Elsewhere a test is marked where it stands."""

_STARTS = ("subprocess.Popen", "os.fork", "os.posix_spawn", "os.system")
_TESTS = Path(__file__).parent


def arrange(items: list[pytest.Item]) -> None:
    """Marks tests by their folder, keeps those together that share what their module sets up once, and puts the long ones first,
    so that at the end of a parallel run no process is alone with one."""
    for item in items:
        if kind := FOLDERS.get(item.path.relative_to(_TESTS).parts[0]):
            item.add_marker(kind)
        if _shares(item):
            item.add_marker(pytest.mark.xdist_group(str(item.path.relative_to(_TESTS))))
    items.sort(key=lambda item: not is_long(item))


def is_long(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(kind) for kind in ("browser", "process", "slow"))


def _shares(item: pytest.Item) -> bool:
    """True if the test uses a fixture that is set up once for its module."""
    info = getattr(item, "_fixtureinfo", None)
    return info is not None and any(fixtures[-1].scope == "module" for fixtures in info.name2fixturedefs.values())


class Guard:
    """Fails a test that starts a process and is not marked for it."""

    def __init__(self) -> None:
        self._watched: str | None = None
        sys.addaudithook(self._hold)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        may = any(item.get_closest_marker(kind) for kind in ("browser", "process"))
        self._watched = None if may else item.nodeid
        try:
            return (yield)
        finally:
            self._watched = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, nextitem: pytest.Item | None) -> None:
        if nextitem is None:
            self._watched = None  # what ends with the run, such as PostgreSQL, ends during the last test, whichever that is

    def _hold(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._watched is not None and event in _STARTS:
            raise AssertionError(f"{self._watched} starts a process ({arguments[0]}) and is marked neither `process` nor `browser`.")
