"""WebKitGTK, the engine of Safari with GStreamer's sound, by WebDriver in its little browser, on a screen that nobody sees."""

import json
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.browser.everywhere.driver import BrowserError, Driver
from tests.browser.everywhere.starting import ready
from tests.patience import HANG_S
from tests.ports import free_port

_SCREEN = "1280x1000x24"
_DONE = "const done = arguments[arguments.length - 1];"


class WebKit(Driver):
    name = "webkit"
    packages = ("webkit2gtk-driver", "libwebkit2gtk-4.1-0", "xvfb", "dbus-daemon")

    @staticmethod
    def missing() -> str:
        found = (shutil.which("WebKitWebDriver"), _mini_browser(), shutil.which("Xvfb"), shutil.which("dbus-run-session"))
        return " ".join(package for package, there in zip(WebKit.packages, found, strict=True) if not there)

    def _start(self) -> str:
        browser = _mini_browser()
        assert browser
        display = self.folder / "display"
        command = f"exec Xvfb -displayfd 3 -screen 0 {_SCREEN} -nolisten tcp 3>{display}"
        self._run_process("sh", "-c", command)
        port = free_port()
        self._url = f"http://127.0.0.1:{port}"
        self._run_process(
            *("dbus-run-session", "--", "WebKitWebDriver", f"--port={port}", "--host=127.0.0.1"),
            DISPLAY=f":{self._wait_for('display')}",
            WEBKIT_DISABLE_COMPOSITING_MODE="1",
            LIBGL_ALWAYS_SOFTWARE="1",
        )
        ready(self._processes[-1], self._served, self.log)
        options = {"webkitgtk:browserOptions": {"binary": str(browser), "args": ["--automation"]}}
        session = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": options}})
        self._url += f"/session/{session['sessionId']}"
        self._ask("POST", "/timeouts", {"script": round(1000 * HANG_S)})
        return str(session["capabilities"]["browserVersion"])

    def open(self, address: str) -> None:
        self._ask("POST", "/url", {"url": address})

    def open_window(self) -> None:
        """Opens a window, and works in it from now on."""
        window = self._ask("POST", "/window/new", {"type": "window"})
        self._ask("POST", "/window", {"handle": window["handle"]})

    def run(self, expression: str) -> Any:
        script = f"{_DONE}(async () => JSON.stringify([await {expression}]))().then(done, error => done(String(error)))"
        answer = self._ask("POST", "/execute/async", {"script": script, "args": []})
        if not answer.startswith("["):
            raise BrowserError(f"{expression}: {answer}")
        return json.loads(answer)[0]

    def press(self, x: int, y: int) -> None:
        move = {"type": "pointerMove", "x": x, "y": y, "duration": 0}
        steps = [move, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self._act({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": steps})

    def type(self, text: str) -> None:
        self._act({"type": "key", "id": "keys", "actions": [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]})

    def _act(self, source: dict[str, Any]) -> None:
        self._ask("POST", "/actions", {"actions": [source]})

    def _served(self) -> bool:
        try:
            self._ask("GET", "/status")
        except OSError:
            return False
        return True

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=2 * HANG_S) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            with error:
                raise BrowserError(f"{path}: {error.read().decode()[:500]}") from error


def _mini_browser() -> Path | None:
    # Debian's folder has the machine's architecture in it, and the version of the library in the next one's name.
    return next(iter(sorted(Path("/usr/lib").glob("*/webkit*gtk-*/MiniBrowser"))), None)
