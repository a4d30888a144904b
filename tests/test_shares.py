"""Several processes run the tests that one collected, and what they come to is reported as if it were one."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests import priority
from tests.patience import HANG_S
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

RUNS_BESIDE = """
import pathlib, time

def test_{0}():
    pathlib.Path("run by {0}").touch()
    end = time.monotonic() + {1}
    while len(list(pathlib.Path().glob("run by *"))) < {2}:
        assert time.monotonic() < end
        time.sleep(0.01)
"""

SHARED = """
import pathlib, pytest

@pytest.fixture(scope="session")
def shared():
    yield
    pathlib.Path("ended").touch()
"""
_ONCE_SHARED = """
import os, pathlib, signal, time

def test_it():
    while not pathlib.Path("begun").exists():
        time.sleep(0.01)
"""
SOON = {"-x": _ONCE_SHARED + "    assert False\n", "Ctrl+C": _ONCE_SHARED + "    os.kill(os.getppid(), signal.SIGINT)\n"}
CTRL_C_IN_A_FORK = """
import os, signal

os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGINT))
"""
NOTES_WHEN = """
import os, pathlib, time

def test_{0}():
    began = time.monotonic()
    time.sleep(0.5)
    pathlib.Path("{0}").write_text(f"{{os.getpriority(os.PRIO_PROCESS, 0)}} {{began if '{0}' == 'heard' else time.monotonic()}}")
"""


DIES_TAKING = """
import os
from tests import shares

class Queue(shares._Queue):
    def __iter__(self):
        for unit in super().__iter__():
            os._exit(0)
            yield unit

shares._Queue = Queue
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").touch()
    for number in range(6):
        (tmp_path / f"test_{number}.py").write_text(PASSES.format(number))
    return tmp_path


def _run(folder: Path, *options: str) -> tuple[int, str]:
    command = (sys.executable, "-m", "pytest", "-p", "tests.shares", "-p", "no:cacheprovider", "-rA", *options)
    environ = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=HANG_S * 5,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where these tests run in the background
    )
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


def test_three_quick_tests_run_at_once_for_each_core(folder: Path) -> None:
    at_once = 3 * (os.cpu_count() or 1)
    for number in range(at_once):
        (folder / f"test_beside_{number}.py").write_text(RUNS_BESIDE.format(number, HANG_S, at_once))

    code, output = _run(folder)

    assert code == 0, output


def test_the_first_failure_ends_the_run_if_asked_to(folder: Path) -> None:
    (folder / "test_fails.py").write_text("import time\n\ndef test_it():\n    assert False\n\ndef test_waits():\n    time.sleep(600)\n")

    code, output = _run(folder, "-x")

    assert code == 1
    assert "stopping after 1 failures" in output


def test_a_process_that_dies_fails_the_test_it_ran_and_another_goes_on(folder: Path) -> None:
    (folder / "test_dies.py").write_text("import os\n\ndef test_it():\n    os._exit(3)\n\ndef test_next(): pass\n")

    code, output = _run(folder)

    assert code == 1
    assert "FAILED test_dies.py::test_it" in output
    assert "its process died (3)" in output
    assert "1 failed, 7 passed" in output


def test_tests_that_a_dead_process_took_without_a_word_fail(folder: Path) -> None:
    (folder / "conftest.py").write_text(DIES_TAKING)

    code, output = _run(folder, "--lanes", "1")

    assert code == 1
    assert output.count("no process ran it") >= 6


def test_a_process_that_dies_after_its_last_test_fails_the_run(folder: Path) -> None:
    (folder / "conftest.py").write_text(SHARED + "    import os\n    os._exit(3)\n")
    (folder / "test_shared.py").write_text("def test_it(shared): pass\n")

    code, output = _run(folder)

    assert code == pytest.ExitCode.INTERNAL_ERROR
    assert "died between them (3)" in output


@pytest.mark.parametrize("how", ["-x", "Ctrl+C"])
def test_what_tests_share_is_ended_however_the_run_ends(folder: Path, how: str) -> None:
    (folder / "conftest.py").write_text(SHARED)
    (folder / "test_long.py").write_text(
        "import pathlib, time\n\ndef test_it(shared):\n    pathlib.Path('begun').touch()\n    time.sleep(600)\n"
    )
    (folder / "test_soon.py").write_text(SOON[how])

    code, _ = _run(folder, "-x")

    assert code == (1 if how == "-x" else pytest.ExitCode.INTERRUPTED)
    assert (folder / "ended").exists()


def test_ctrl_c_ends_the_run_also_while_a_process_is_forked(folder: Path) -> None:
    (folder / "conftest.py").write_text(CTRL_C_IN_A_FORK)

    code, _ = _run(folder)

    assert code == pytest.ExitCode.INTERRUPTED


def test_what_fails_when_a_process_ends_fails_the_run(folder: Path) -> None:
    (folder / "conftest.py").write_text(SHARED + "    print('said at the end')\n    raise ValueError('does not end')\n")
    (folder / "test_shared.py").write_text("def test_it(shared): pass\n")

    code, output = _run(folder)

    assert code == 1
    assert "ERROR test_shared.py::test_it" in output
    assert "ValueError: does not end" in output
    assert output.count("said at the end\n") == 1


@pytest.mark.parametrize("allowed", [True, False])
def test_what_judges_sound_goes_before_the_others_or_comes_after_them(folder: Path, allowed: bool) -> None:
    if allowed and not priority.may_rise():
        pytest.skip("This user may not let a process go before others.")
    (folder / "conftest.py").write_text(f"from tests import priority\npriority.may_rise = lambda: {allowed}\n")
    for name, marked in (("other", ""), ("heard", "import pytest\npytestmark = pytest.mark.sound\n")):
        (folder / f"test_{name}.py").write_text(marked + NOTES_WHEN.format(name))
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = sound\n")

    code, output = _run(folder, "-k", "other or heard")

    assert code == 0, output
    (heard, first), (other, last) = ((folder / name).read_text().split() for name in ("heard", "other"))
    assert (int(heard) < int(other)) == allowed
    assert allowed or float(first) >= float(last)


def test_once_the_tests_of_sound_are_done_another_lane_runs_the_others(folder: Path) -> None:
    (folder / "conftest.py").write_text("from tests import priority\npriority.may_rise = lambda: True\npriority.rise = lambda: None\n")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = sound\n")
    (folder / "test_heard.py").write_text("import pytest\n\n@pytest.mark.sound\ndef test_it(): pass\n")
    for name in "ab":
        (folder / f"test_{name}.py").write_text(FAILS_BESIDE_OTHERS.format(name).replace("assert False", "assert time.monotonic() < end"))

    code, output = _run(folder, "--lanes", "1", "--sound-lanes", "1")

    assert code == 0, output
