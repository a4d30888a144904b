"""The browsers of one run: each is started when a test first asks for it, and lives until the end of the run."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Playwright, sync_playwright

from tests import priority
from tests.browser.tabs import PROFILE_FLAGS
from tests.chromium import FLAGS, headless_path

FOREIGN, INSECURE = "evil.example", "plain.example"
"""Names of this machine: as after DNS rebinding, and one that is no secure context (localhost is one even without TLS)."""

_NAMES_OF_THIS_MACHINE = "--host-resolver-rules=" + ",".join(f"MAP {name} 127.0.0.1" for name in (FOREIGN, INSECURE))
CHROMIUM_FLAGS = [*FLAGS, _NAMES_OF_THIS_MACHINE]


class Browsers:
    """`with browsers.use("chromium") as browser:`, by whatever name Playwright has for it. One test at a time."""

    def __init__(self) -> None:
        self._manager = sync_playwright()
        self._playwright: Playwright | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started: dict[str, Browser] = {}

    @contextmanager
    def use(self, name: str) -> Iterator[Browser]:
        with self._in_its_loop():
            if name not in self._started:
                self._started[name] = self._launched(name)
            yield self._started[name]

    def close(self) -> None:
        with self._in_its_loop():
            for browser in self._started.values():
                browser.close()
            if self._playwright:
                self._playwright.stop()

    def _launched(self, name: str) -> Browser:
        if self._playwright is None:
            self._playwright = self._manager.start()
        browser: Browser
        if name == "chromium":
            browser = self._playwright.chromium.launch(executable_path=headless_path(), args=[*CHROMIUM_FLAGS, *PROFILE_FLAGS])
        else:
            browser = getattr(self._playwright, name).launch()
        priority.pass_on()
        return browser

    @contextmanager
    def _in_its_loop(self) -> Iterator[None]:
        """Playwright's blocking interface keeps its event loop marked as running between its calls. Asynchronous tests, which are run by
        loops of their own, can share the process only if the mark is taken away before them, and put back afterwards."""
        before = asyncio._get_running_loop()
        asyncio._set_running_loop(self._loop)
        try:
            yield
        finally:
            if self._playwright:
                self._loop = asyncio._get_running_loop()
            asyncio._set_running_loop(before)
