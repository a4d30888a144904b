"""Which tests need a browser or start a process: marked at collection, and held to it while they run, so that `make quick` stays quick.

`pyproject.toml` says what the markers mean.
"""

import os
import subprocess
from collections.abc import Callable, Iterable
from functools import wraps
from multiprocessing.process import BaseProcess
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

import pytest

FOLDERS = {"browser": "browser", "browser/everywhere": "sound", "whole": "process"}
"""Folders all of whose tests are of one kind. Elsewhere a test is marked where it stands."""

_LONGEST = (
    "web/test_schemathesis.py",
    "whole/test_chaos.py",
    "web/test_open_connections.py",
    "playout/test_player.py",
    "demo_line/test_sdks.py",
    "deploy/test_image.py",
    "browser/test_axe.py",
)
"""What takes longest on its own, up to a minute: it begins first."""

_STARTS = (
    (subprocess.Popen, "__init__"),
    (BaseProcess, "start"),
    (os, "fork"),
    (os, "forkpty"),
    (os, "posix_spawn"),
    (os, "posix_spawnp"),
    (os, "system"),
)
_TESTS = Path(__file__).parent
T = TypeVar("T")


def arrange(items: list[pytest.Item]) -> None:
    """Marks tests by their folder."""
    for item in items:
        for folder in item.path.relative_to(_TESTS).parents:
            if kind := FOLDERS.get(folder.as_posix()):
                item.add_marker(kind)


def units(items: Iterable[pytest.Item]) -> list[list[pytest.Item]]:
    """Tests that one process runs together: those that share what their module sets up once, those marked `together`, and the quick ones
    of a file.

    What takes longest comes first, so that at the end of a parallel run no process is alone with it, and what is quick last. In between
    those in browsers, which compute, alternate with those that mostly wait.
    """
    found: dict[str, list[pytest.Item]] = {}
    for item in items:
        found.setdefault(_unit(item), []).append(item)
    longest, computing, waiting, quick = ([unit for unit in found.values() if _kind(unit) == kind] for kind in range(4))
    longest.sort(key=lambda unit: _LONGEST.index(_file(unit[0])))
    for those in (computing, waiting):
        those.sort(key=len, reverse=True)
    quick.sort(key=lambda unit: unit[0].path.stat().st_size, reverse=True)
    return [*longest, *_alternating(computing, waiting), *quick]


def _kind(unit: list[pytest.Item]) -> int:
    if _file(unit[0]) in _LONGEST:
        return 0
    if not is_long(unit[0]):
        return 3
    return 1 if unit[0].get_closest_marker("browser") else 2


def _alternating(*lists: list[T]) -> list[T]:
    """All values in the order of their lists, each list spread evenly from the first to the last."""
    placed = [((number + 0.5) / len(values), value) for values in lists for number, value in enumerate(values)]
    return [value for _, value in sorted(placed, key=itemgetter(0))]


def _unit(item: pytest.Item) -> str:
    if marked := item.get_closest_marker("together"):
        return str(marked.args[0])
    return item.nodeid if is_long(item) and not _shares(item) else _file(item)


def judges_sound(item: pytest.Item) -> bool:
    return item.get_closest_marker("sound") is not None


def is_long(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(kind) for kind in ("browser", "process", "slow"))


def _file(item: pytest.Item) -> str:
    return os.path.relpath(item.path, _TESTS)


def _shares(item: pytest.Item) -> bool:
    """True if the test uses a fixture that is set up once for its module."""
    info = getattr(item, "_fixtureinfo", None)
    return info is not None and any(fixtures[-1].scope == "module" for fixtures in info.name2fixturedefs.values())


class Guard:
    """Fails a test that starts a process and is not marked for it."""

    def __init__(self) -> None:
        self._watched: str | None = None
        for owner, name in _STARTS:  # an audit hook would be called a thousand times a test
            if hasattr(owner, name):
                setattr(owner, name, self._held(getattr(owner, name)))

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

    def _held(self, start: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(start)
        def held(*arguments: Any, **more: Any) -> Any:
            if self._watched is not None:
                raise AssertionError(
                    f"{self._watched} starts a process ({start.__qualname__}) and is marked neither `process` nor `browser`."
                )
            return start(*arguments, **more)

        return held
