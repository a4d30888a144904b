"""Several processes run the tests that one collected, and what they come to is reported as if it were one."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.process import ROOT

pytestmark = pytest.mark.process

PASSES = "def test_{0}(tmp_path):\n    (tmp_path / 'a').touch()\n"
FAILS_BESIDE_OTHERS = """
import pathlib, time

def test_{0}():
    print('said by {0}')
    pathlib.Path('said by {0}').touch()
    end = time.monotonic() + 10
    while len(list(pathlib.Path().glob('said by *'))) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    print('said last by {0}')
    assert False
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").touch()
    for number in range(6):
        (tmp_path / f"test_{number}.py").write_text(PASSES.format(number))
    return tmp_path


def _run(folder: Path, *options: str) -> tuple[int, str]:
    command = (sys.executable, "-m", "pytest", "-p", "tests.shares", "-p", "no:cacheprovider", "-rA", *options)
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_each_test_runs_once(folder: Path) -> None:
    code, output = _run(folder)

    assert code == 0
    assert Counter(line for line in output.splitlines() if line.startswith("PASSED")) == {
        f"PASSED test_{number}.py::test_{number}": 1 for number in range(6)
    }


def test_a_failure_is_shown_with_what_its_test_alone_printed(folder: Path) -> None:
    for name in "abcd":
        (folder / f"test_{name}.py").write_text(FAILS_BESIDE_OTHERS.format(name))

    code, output = _run(folder)

    assert code == 1
    assert "4 failed, 6 passed" in output
    for name in "abcd":
        shown = output.split(f"_ test_{name} _")[1].split("Captured stdout call")[1].splitlines()
        assert shown[1:3] == [f"said by {name}", f"said last by {name}"]


def test_the_first_failure_ends_the_run_if_asked_to(folder: Path) -> None:
    (folder / "test_fails.py").write_text("import time\n\ndef test_it():\n    assert False\n\ndef test_waits():\n    time.sleep(600)\n")

    code, output = _run(folder, "-x")

    assert code == 1
    assert "stopping after 1 failures" in output


def test_a_process_that_dies_fails_the_run_and_its_test_is_named(folder: Path) -> None:
    (folder / "test_dies.py").write_text("import os\n\ndef test_it():\n    os._exit(0)\n")

    code, output = _run(folder)

    assert code != 0
    assert "a process died in test_dies.py::test_it" in output
