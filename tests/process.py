"""The app, or another program, as a process of its own, for tests and benchmarks alike: started, waited for, and ended."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO

from tests.forks import MAIN as MAIN
from tests.forks import ROOT as ROOT
from tests.forks import Forked, clean_environ
from tests.patience import HANG_S
from tests.ports import free_port


class Process:
    """A process and the `url` that it serves; `output` is what it wrote by the time it ended."""

    def __init__(self, popen: "subprocess.Popen[bytes] | Forked", url: str, log: IO[bytes]) -> None:
        self.url = url
        self.popen = popen
        self._log = log
        self.output = ""

    def wait_until_served(self, path: str = "/health") -> int:
        """The status that `path` is answered with as soon as it is. Raises AssertionError if that never happens."""
        give_up = time.monotonic() + 3 * HANG_S
        while self.popen.poll() is None and time.monotonic() < give_up:
            try:
                with urllib.request.urlopen(self.url + path, timeout=30) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as answer:  # 503: served, but it can't place calls
                with answer:
                    return answer.code
            except OSError:
                time.sleep(0.005)
        self.kill()
        raise AssertionError(f"{self.url + path} was never served: {self.output}")

    def stop(self, within: float = HANG_S) -> int:
        """SIGTERM, and the exit code. Raises TimeoutExpired if the process does not end within so many seconds."""
        self.popen.terminate()
        return self.ended(within)

    def kill(self) -> None:
        self.popen.kill()
        self.ended()

    def written(self) -> str:
        """What it has written so far."""
        number = self._log.fileno()  # read without seeking: the process shares the position
        return os.pread(number, os.fstat(number).st_size, 0).decode()

    def ended(self, within: float | None = None) -> int:
        """The exit code, once there is one."""
        code = self.popen.wait(within)
        self._log.seek(0)
        self.output = self._log.read().decode()
        return code


@contextmanager
def started(
    *program: str,
    cwd: Path,
    environ: Mapping[str, str] | None = None,
    port: int | None = None,
    stdin: int | None = None,
    new_python: bool = False,
) -> Iterator[Process]:
    """`python PROGRAM` in the folder `cwd`, so that no `.env` of the project's own is read; killed at the end if it still runs.

    In a test, the app is forked from a process that has imported it, unless it asks for a `new_python` or sets a variable of Python's.
    """
    port = port or free_port()
    new_python |= any(name.startswith("PYTHON") for name in environ or {})
    environ = clean_environ() | {"PORT": str(port), "PYTHONPATH": str(ROOT), **(environ or {})}
    # A file, not a pipe: a pipe that nobody reads fills up and stops the process.
    with tempfile.TemporaryFile() as log:
        popen: subprocess.Popen[bytes] | Forked
        if program[0] == MAIN and stdin is None and not new_python and "PYTEST_CURRENT_TEST" in os.environ:
            popen = Forked(program[1:], cwd=cwd, environ=environ, output=log)
        else:
            popen = subprocess.Popen([sys.executable, *program], cwd=cwd, env=environ, stdin=stdin, stdout=log, stderr=subprocess.STDOUT)
        process = Process(popen, f"http://127.0.0.1:{port}", log)
        try:
            yield process
        finally:
            process.kill()
            if popen.stdin:
                popen.stdin.close()


@asynccontextmanager
async def running(cwd: Path, environ: Mapping[str, str] | None = None, *, port: int | None = None) -> AsyncIterator[Process]:
    """The app once `/health` answers, whatever it answers; killed afterwards if the test did not stop it."""
    with started(MAIN, cwd=cwd, environ=environ, port=port) as app:
        await asyncio.to_thread(app.wait_until_served)
        yield app


async def refused(cwd: Path, environ: Mapping[str, str], *, port: int | None = None) -> str:
    """What an app says that can't start, and ends with 1."""
    with started(MAIN, cwd=cwd, environ=environ, port=port) as app:
        assert await asyncio.to_thread(app.ended, HANG_S) == 1
    return app.output


def vapi_environ(url: str) -> dict[str, str]:
    """The environment of an app that calls through the Vapi at `url`."""
    return {
        "VAPI_API_KEY": "secret-private-key",
        "VAPI_ASSISTANT_ID": "assistant",
        "VAPI_PHONE_NUMBER_ID": "phone",
        "VAPI_BASE_URL": url,
    }
