"""What holds for the tests themselves: the quick ones start no process, and nothing that they quicken is gone."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module

import pytest

from tests.kinds import name_without_group
from tests.paces import PACES_S


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _fork_terminal() -> None:
    if os.forkpty()[0] == 0:
        os._exit(0)


STARTS: list[Callable[[], object]] = [
    lambda: subprocess.run(["true"], check=True),
    lambda: os.system("true"),  # noqa: S605
    lambda: os.posix_spawn("/bin/true", ["true"], {}),
    lambda: os.posix_spawnp("true", ["true"], {}),
    lambda: os.spawnlp(os.P_WAIT, "true", "true"),  # noqa: S606
    lambda: multiprocessing.get_context("forkserver").Process(target=print).start(),
    _fork,
    _fork_terminal,
]


@pytest.mark.skipif(sys.platform == "win32", reason="starts processes as Unix does")
@pytest.mark.parametrize("start", STARTS)
def test_a_process_of_a_test_that_is_not_marked_is_refused(start: Callable[[], object]) -> None:
    with pytest.raises(AssertionError, match="marked neither"):
        start()


@pytest.fixture(scope="module")
def shared() -> int:
    return 1


def test_tests_that_share_what_their_module_sets_up_are_given_to_one_process(request: pytest.FixtureRequest, shared: int) -> None:
    grouped = getattr(request.config.option, "loadgroup", False)  # by xdist, which then names the group behind the test
    assert grouped == request.node.nodeid.endswith("@test_kinds.py")


@pytest.mark.parametrize(
    ("named", "name"),
    [
        ("tests/test_a.py::test_it@test_a.py", "tests/test_a.py::test_it"),
        ("tests/browser/test_a.py::test_it[webkit]@everywhere webkit", "tests/browser/test_a.py::test_it[webkit]"),
        ("tests/browser/test_a.py::test_it[webkit]@everywhere webkit]", "tests/browser/test_a.py::test_it[webkit]"),
        ("tests/test_a.py::test_it[me@example.org]", "tests/test_a.py::test_it[me@example.org]"),
        ("tests/test_a.py::test_it[me@example.org]@web/test_a.py", "tests/test_a.py::test_it[me@example.org]"),
    ],
)
def test_a_group_is_no_part_of_what_a_failure_is_remembered_by(named: str, name: str) -> None:
    assert name_without_group(named) == name


@pytest.mark.parametrize("module", PACES_S)
def test_what_is_quickened_exists(module: str) -> None:
    assert PACES_S[module].keys() <= vars(import_module(module)).keys()
