"""Tabs of one browser profile, as good as new for each test. To load the page in it takes a third of what it takes in a new profile."""

from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page
from yarl import URL

# With one renderer process for a site, which a tab keeps alive, what is compiled stays compiled.
PROFILE_FLAGS = ["--process-per-site"]
_KEPT = "/health/live"
EMULATED = frozenset({"viewport", "locale", "timezone_id", "color_scheme", "reduced_motion", "bypass_csp"})
"""What a tab can have of its own: options of `Browser.new_context`, by the same names."""
_STORED = "cookies,local_storage,indexeddb,cache_storage,service_workers"


class Tabs:
    """For one test at a time: `open` any number of tabs, then `close`."""

    def __init__(self) -> None:
        self._context: BrowserContext | None = None
        self._kept: Page | None = None
        self._origins: set[str] = set()
        self._emulating: list[tuple[Page, CDPSession]] = []

    def open(self, browser: Browser, address: str, **emulated: Any) -> Page:
        """An empty tab that is about to go to an address of Earshot, with what it has of its own (`EMULATED`)."""
        origin = str(URL(address).origin())
        self._origins.add(origin)
        if self._context is None or self._kept is None:
            self._context = browser.new_context()
            self._kept = self._context.new_page()
            self._kept.goto(origin + _KEPT)
        page = self._context.new_page()
        self._emulate(page, **emulated)
        return page

    def _emulate(
        self,
        page: Page,
        *,
        viewport: Any = None,
        locale: str | None = None,
        timezone_id: str | None = None,
        bypass_csp: bool = False,
        **media: Any,
    ) -> None:
        if viewport:
            page.set_viewport_size(viewport)
        if media:
            page.emulate_media(**media)
        if not (locale or timezone_id or bypass_csp):
            return
        devtools = page.context.new_cdp_session(page)  # as Playwright does it itself for a whole context
        self._emulating.append((page, devtools))
        if locale:
            devtools.send("Emulation.setLocaleOverride", {"locale": locale})
            devtools.send("Emulation.setUserAgentOverride", {"userAgent": "", "acceptLanguage": locale})
        if timezone_id:
            devtools.send("Emulation.setTimezoneOverride", {"timezoneId": timezone_id})
        if bypass_csp:
            devtools.send("Page.setBypassCSP", {"enabled": True})

    def close(self) -> None:
        """Closes all tabs that tests opened or had opened, and leaves no cookie, nothing stored and no permission."""
        if self._context is None or self._kept is None:
            return
        for page, devtools in self._emulating:
            if not page.is_closed():
                devtools.detach()  # else the process, which lives on, keeps the language and the time zone
        self._emulating.clear()
        for page in self._context.pages:
            if page is not self._kept:
                page.close()
        devtools = self._context.new_cdp_session(self._kept)
        for origin in self._origins:
            devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": _STORED})
        devtools.detach()
        self._origins.clear()
        self._context.clear_cookies()
        self._context.clear_permissions()
