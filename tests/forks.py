"""The app as a fork of a process that has imported it: tests need not wait for the imports, which are most of a start.

The process that is forked, one for each worker of a run, is `multiprocessing`'s fork server. What it forks runs `main.py` from its first
line, in its own folder, with its own environment and output. Only Python itself was started before: what is about its own variables, or
about the start, takes a new Python.
"""

import atexit
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext
from multiprocessing.forkserver import ensure_running
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import IO, Any

from services.settings import TABLE
from tests import long_call, paces

ROOT = Path(__file__).resolve().parent.parent
MAIN = str(ROOT / "main.py")
# NiceGUI behaves differently where it thinks that it is being tested.
_OURS = (*(variable.name for variable in TABLE.values()), "NICEGUI_", "PYTEST_")


class Forked:
    """What the tests use of `subprocess.Popen`, for `python main.py ARGUMENTS` with exactly these environment variables."""

    stdin = None

    def __init__(self, arguments: Sequence[str], *, cwd: Path, environ: Mapping[str, str], output: IO[bytes]) -> None:
        # A daemon: it ends with the test's process, whatever happens to that.
        self._process = _context().Process(target=_run, args=(_Descriptor(output), arguments, str(cwd), dict(environ)), daemon=True)
        self._process.start()
        pid = self._process.pid
        assert pid is not None
        self.pid = pid
        self._reading = threading.Lock()  # the exit code can be read once

    def poll(self) -> int | None:
        with self._reading:
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, negative for a signal. Raises TimeoutExpired."""
        if not wait([self._process.sentinel], timeout):
            raise subprocess.TimeoutExpired("main.py", timeout or 0)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class _Descriptor:
    """A file's descriptor, which the other process gets as one of its own when this is sent to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._number = file.fileno()

    def __reduce__(self) -> Any:
        return _received, (DupFd(self._number),)


def _received(sent: Any) -> int:
    return int(sent.detach())


def forked(run: Callable[..., None], *arguments: Any) -> BaseProcess:
    """A process that does this and ends, of the kind that the app is: what it needs of the app is imported already."""
    process = _context().Process(target=run, args=arguments, daemon=True)
    process.start()
    return process


def clean_environ() -> dict[str, str]:
    """This process' environment variables without those that the app reads."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.forked_main"])
    before, clean = dict(os.environ), clean_environ()
    os.environ.clear()
    os.environ.update(clean)
    try:
        ensure_running()
    finally:
        os.environ.update(before)
    return context


def _run(output: int, arguments: Sequence[str], cwd: str, environ: Mapping[str, str]) -> None:
    for number in (1, 2):
        os.dup2(output, number)
    os.close(output)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - as long as the process
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    os.chdir(cwd)
    paces.quicken_forked(environ)
    long_call.play_forked(environ)
    sys.argv = [MAIN, *arguments]
    sys.orig_argv = [sys.executable, *sys.argv]
    try:
        runpy.run_path(MAIN, run_name="__main__")
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
