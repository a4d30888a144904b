"""What holds for the tests themselves: the quick ones start no process, and nothing that they quicken is gone."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module

import pytest

from tests.kinds import is_long, units
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
def set_up_once() -> int:
    return 1


@pytest.mark.slow
def test_those_that_share_what_their_module_sets_up_run_in_one_process(request: pytest.FixtureRequest, set_up_once: int) -> None:
    assert [len(unit) for unit in units([request.node, request.node])] == [2]


@pytest.mark.slow
def test_each_other_long_one_can_run_anywhere_and_comes_before_the_quick_ones(request: pytest.FixtureRequest) -> None:
    quick = [item for item in request.session.items if item.path == request.node.path and not is_long(item)]
    assert units([*quick, request.node]) == [[request.node], *([quick] if quick else [])]


@pytest.mark.parametrize("module", PACES_S)
def test_what_is_quickened_exists(module: str) -> None:
    assert PACES_S[module].keys() <= vars(import_module(module)).keys()
