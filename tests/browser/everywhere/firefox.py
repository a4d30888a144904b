"""Firefox by WebDriver BiDi, which it speaks itself: no geckodriver."""

import json
import shutil
from typing import Any

from tests.browser.everywhere.driver import BrowserError, Driver
from tests.browser.everywhere.wire import wire

_NAMES = ("firefox-esr", "firefox")
_PREFERENCES: dict[str, bool | int | str] = {
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "intl.accept_languages": "en-US",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
    "media.navigator.permission.disabled": True,  # picks the first device itself
    # Nobody looks at the page, and what paints it 60 times a second is the processor.
    "layout.frame_rate": 10,
    "ui.prefersReducedMotion": 1,
    "dom.ipc.processPrelaunch.enabled": False,  # no process for a second page
}


class Firefox(Driver):
    name = "firefox"

    @staticmethod
    def missing() -> str:
        return "" if _path() else "firefox-esr"

    def _start(self) -> str:
        path = _path()
        assert path
        preferences = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in _PREFERENCES.items())
        (self.folder / "user.js").write_text("".join(preferences))
        options = ("--headless", "--no-remote", "--profile", str(self.folder), "--remote-debugging-port=0", "about:blank")
        self._run_process(path, *options, MOZ_CRASHREPORTER_DISABLE="1")
        server = json.loads(self._wait_for("WebDriverBiDiServer.json"))
        self._wire = self._exits.enter_context(wire(f"ws://127.0.0.1:{server['ws_port']}/session"))
        session = self._wire.ask("session.new", capabilities={})
        self._tab = self._wire.ask("browsingContext.getTree")["contexts"][0]["context"]
        return str(session["capabilities"]["browserVersion"])

    def open(self, address: str) -> None:
        self._wire.ask("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    def run(self, expression: str) -> Any:
        asked = f"(async () => JSON.stringify(await {expression}))()"
        answer = self._wire.ask("script.evaluate", expression=asked, target={"context": self._tab}, awaitPromise=True)
        if answer["type"] == "exception":
            raise BrowserError(f"{expression}: {answer['exceptionDetails'].get('text')}")
        value = answer["result"].get("value")
        return None if value is None else json.loads(value)

    def press(self, x: int, y: int) -> None:
        steps = [{"type": "pointerMove", "x": x, "y": y}, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self._act({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": steps})

    def type(self, text: str) -> None:
        self._act({"type": "key", "id": "keys", "actions": [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]})

    def _act(self, source: dict[str, Any]) -> None:
        self._wire.ask("input.performActions", context=self._tab, actions=[source])


def _path() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)
