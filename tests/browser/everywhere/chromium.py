"""Chromium by its DevTools protocol, with its sound on: the other tests' Chromium plays into nothing."""

from typing import Any

from tests.browser.everywhere.driver import BrowserError, Driver
from tests.browser.everywhere.wire import wire
from tests.chromium import FLAGS, find_chromium, find_headless_shell, headless_path

_NOT_HERE = ("--disable-audio-output", "--autoplay-policy=no-user-gesture-required")
_STILL = "--force-prefers-reduced-motion"  # nobody looks at the page


class Chromium(Driver):
    name = "chromium"

    @staticmethod
    def missing() -> str:
        return "" if find_headless_shell() or find_chromium() else "chromium"

    def _start(self) -> str:
        flags = [flag for flag in FLAGS if flag not in _NOT_HERE]
        options = (*flags, _STILL, "--remote-debugging-port=0", f"--user-data-dir={self.folder}")
        self._run_process(headless_path(), *options, "about:blank")
        port, path = self._wait_for("DevToolsActivePort").split("\n")
        self._wire = self._exits.enter_context(wire(f"ws://127.0.0.1:{port}{path}"))
        version = self._wire.ask("Browser.getVersion")["product"]
        tabs = [target for target in self._wire.ask("Target.getTargets")["targetInfos"] if target["type"] == "page"]
        attached = self._wire.ask("Target.attachToTarget", targetId=tabs[0]["targetId"], flatten=True)
        self._wire.always = {"sessionId": attached["sessionId"]}
        return str(version).rpartition("/")[2]

    def open(self, address: str) -> None:
        if error := self._wire.ask("Page.navigate", url=address).get("errorText"):
            raise BrowserError(f"{address}: {error}")
        self.until(f"document.readyState === 'complete' && location.href.startsWith({address!r})")

    def run(self, expression: str) -> Any:
        answer = self._wire.ask("Runtime.evaluate", expression=f"(async () => {expression})()", awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise BrowserError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def press(self, x: int, y: int) -> None:
        for kind in ("mousePressed", "mouseReleased"):
            self._wire.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, text: str) -> None:
        self._wire.ask("Input.insertText", text=text)
