"""Which tests need a browser or start a process: marked at collection, and held to it while they run, so that `make quick` stays quick.

`pyproject.toml` says what the markers mean.
"""

import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from functools import wraps
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from _pytest.nodeid import coerce_node_id

FOLDERS = {"browser": "browser", "whole": "process"}
"""Folders all of whose tests are of one kind. Elsewhere a test is marked where it stands."""

_LONGEST = (
    "web/test_schemathesis.py",
    "whole/test_chaos.py",
    "webhooks_out/test_killed.py",
    "browser/test_axe.py",
    "browser/test_live_playout.py",
)
"""What takes longest on its own, a minute and more: it begins first."""

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


def arrange(items: list[pytest.Item]) -> None:
    """Marks tests by their folder, keeps those together that share what their module sets up once, and puts the long ones first,
    so that at the end of a parallel run no process is alone with one.

    xdist keeps this order only with `--no-loadscope-reorder`. By itself it begins with the largest groups, and a single test that takes
    minutes comes after all of them.
    """
    shared: Counter[str] = Counter()
    for item in items:
        if kind := FOLDERS.get(item.path.relative_to(_TESTS).parts[0]):
            item.add_marker(kind)
        if _shares(item):
            item.add_marker(pytest.mark.xdist_group(_file(item)))
            shared[_file(item)] += 1
        _name_group(item)
    rank = {file: number for number, file in enumerate(_LONGEST)}
    items.sort(key=lambda item: (rank.get(_file(item), len(rank)), not is_long(item), -shared[_file(item)] if _shares(item) else 0))


def _name_group(item: pytest.Item) -> None:
    """Under `--dist loadgroup` the group stands in a test's name. xdist 3.8 writes it to where pytest 9.2 reads no name any more."""
    group = item.get_closest_marker("xdist_group")
    if group and getattr(item.config.option, "loadgroup", False):
        item._id = coerce_node_id(f"{item.nodeid}@{group.args[0]}")


def name_without_group(nodeid: str) -> str:
    """The name that a test has where it is not in a group."""
    return re.sub(r"(\])@[^@\[\]]+\]?$|@[^@\[\]]+$", r"\1", nodeid)  # pytest ends what begins with a bracket with one


def is_long(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(kind) for kind in ("browser", "process", "slow"))


def _file(item: pytest.Item) -> str:
    return item.path.relative_to(_TESTS).as_posix()


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
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """What failed in a group is found by `--last-failed`, without one: if that found nothing, it would run everything."""
        if failed := session.config.pluginmanager.get_plugin("lfplugin"):
            failed.lastfailed = {coerce_node_id(name_without_group(str(nodeid))): True for nodeid in failed.lastfailed}

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
