"""What a test does in a browser, whichever it is: each has a file of its own that says how."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

from tests.browser.everywhere.starting import ready
from tests.browser.plain_page.sleeping import descendants
from tests.patience import HANG_S

_LOOK_S = 0.1
_STILL_MS = 150  # what still moves is pressed beside


class BrowserError(Exception):
    """The browser refused a command, or what a page was asked failed there."""


class Driver(ABC):
    """One browser with one tab. `environ` says where its sound goes."""

    name: ClassVar[str]

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        # A home of its own: nobody's profile, and no window manager's settings.
        self._environ = {**os.environ, "HOME": str(self.folder), "XDG_RUNTIME_DIR": str(self.folder), **environ}
        self._exits = ExitStack()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._log = (self.folder / "log").open("wb")
        try:
            self.version = self._start()
        except BaseException:
            self.close()
            raise

    @staticmethod
    @abstractmethod
    def missing() -> str:
        """What this machine lacks to run it; "": nothing."""

    @abstractmethod
    def _start(self) -> str:
        """Starts the browser and returns its version."""

    @abstractmethod
    def open(self, address: str) -> None:
        """Loads a page, and returns once it is loaded."""

    @abstractmethod
    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page, which may be a promise. Raises BrowserError if it throws."""

    @abstractmethod
    def press(self, x: int, y: int) -> None:
        """Presses the mouse at a place in the window, as a user does: a page may start its sound then."""

    @abstractmethod
    def type(self, text: str) -> None:
        """Presses the keys of `text`."""

    def click(self, testid: str) -> None:
        """Presses the middle of an element, once it is there, stands still and nothing covers it."""
        middle = f"""(async () => {{
            const element = {_find(testid)};
            if (!element || element.disabled) return null;
            element.scrollIntoView({{ block: "center" }});
            const before = element.getBoundingClientRect();
            await new Promise(resolve => setTimeout(resolve, {_STILL_MS}));
            const {{ x, y, width, height }} = element.getBoundingClientRect();
            const moves = x !== before.x || y !== before.y || width !== before.width;
            const middle = [Math.round(x + width / 2), Math.round(y + height / 2)];
            return width && !moves && element.contains(document.elementFromPoint(...middle)) ? middle : null;
        }})()"""
        x, y = self.until(middle)
        self.press(x, y)

    def text(self, testid: str) -> str:
        """What an element says; "" where there is none."""
        return str(self.run(f'({_find(testid)}?.textContent ?? "").trim()'))

    def attribute(self, testid: str, name: str) -> str | None:
        found = self.run(f"{_find(testid)}?.getAttribute({json.dumps(name)}) ?? null")
        return None if found is None else str(found)

    def until(self, expression: str) -> Any:
        """The value of an expression once it is true. Raises AssertionError if it never is."""
        give_up = time.monotonic() + HANG_S
        while True:
            if value := self.run(expression):
                return value
            if time.monotonic() > give_up:
                raise AssertionError(f"{self.name} never came to {expression}: {self.run('document.body.innerText')}")
            time.sleep(_LOOK_S)

    def until_attribute(self, testid: str, name: str, *values: str) -> str:
        return str(self.until(f"{json.dumps(values)}.find(value => value === {_find(testid)}?.getAttribute({json.dumps(name)}))"))

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Stops every process of the browser for as long as the block runs, as when the computer sleeps."""
        tree = self._tree()
        for pid in tree:
            _signal(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in tree:
                _signal(pid, signal.SIGCONT)

    def close(self) -> None:
        tree = self._tree()
        for process in self._processes:
            process.terminate()
        for pid in tree:
            _signal(pid, signal.SIGKILL)
        for process in self._processes:
            process.wait(HANG_S)
        self._exits.close()
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)  # what was killed a moment ago may still write

    def _run_process(self, *command: str, **environ: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, env=self._environ | environ, stdout=self._log, stderr=self._log, stdin=subprocess.DEVNULL)
        self._processes.append(process)
        return process

    def _wait_for(self, file: str) -> str:
        """The text of a file in the browser's folder, once it is written. Raises AssertionError if that never happens."""
        path = self.folder / file
        return ready(self._processes[-1], lambda: path.is_file() and path.read_text().strip(), self.log) or ""

    def log(self) -> str:
        """The end of what the browser wrote."""
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    def _tree(self) -> list[int]:
        return [pid for process in self._processes if process.poll() is None for pid in (process.pid, *descendants(process.pid))]


def _find(testid: str) -> str:
    return f"document.querySelector('[data-testid=\"{testid}\"]')"


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
