"""Earshot as a process of its own, a Chromium to look at it with, and a network between them that can fail."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import pytest_asyncio
from anyio.from_thread import BlockingPortal
from playwright import async_api
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from services.demo_line import DemoLine
from tests import priority
from tests.browser.browsers import CHROMIUM_FLAGS, Browsers
from tests.browser.lines import AnsweredAtOnce, demo_line, scripted
from tests.browser.network import Line as Line
from tests.browser.plain_page.server import LiveCall, plain_server
from tests.browser.tabs import EMULATED, PROFILE_FLAGS, Tabs
from tests.chromium import headless_path
from tests.patience import HANG_S
from tests.ports import port_of_one_after_another
from tests.process import ROOT as ROOT
from tests.process import started, vapi_environ
from tests.stand_in import StandIn

Open = Callable[..., Page]

expect.set_options(timeout=1000 * HANG_S / 2)  # what comes on the page, comes late on a busy machine


class Earshot:
    """A running Earshot, and what its REST routes tell of it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def calls(self) -> list[dict[str, Any]]:
        return list(self._ask("GET", "/api/calls")["calls"])

    def place(self, number: str, **options: Any) -> dict[str, Any]:
        return self._ask("POST", "/api/vapi_call", {"to": number, "allowDuplicate": True, **options})

    def end_all(self) -> None:
        """Ends all calls, also one whose dial was still on its way when this began. Raises AssertionError if one goes on."""
        give_up = time.monotonic() + HANG_S
        while active := [call for call in self.calls() if call["status"] != "ended"]:
            assert time.monotonic() < give_up, f"These calls do not end: {active}"
            for call in active:
                self._ask("POST", f"/api/calls/{call['id']}/end")

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as refusal:
            with refusal:
                refusal.add_note(refusal.read().decode())
            raise


Start = Callable[..., Earshot]


@contextmanager
def earshot_process(program: Path = ROOT / "main.py", /, **environment: str) -> Iterator[Earshot]:
    """`python main.py`, or another `program`, with nothing set but `environment`, in a folder without a `.env`, ended by SIGTERM."""
    with (
        TemporaryDirectory() as folder,
        port_of_one_after_another() as port,
        started(str(program), cwd=Path(folder), environ=environment, port=port) as process,
    ):
        process.wait_until_served()
        try:
            yield Earshot(process.url)
        finally:
            process.stop()
            print(process.output)  # noqa: T201 - shown by pytest where a test failed
        assert "Traceback" not in process.output, process.output


@pytest.fixture(scope="session")
def demo_process() -> Iterator[Earshot]:
    with earshot_process() as earshot:
        yield earshot


@pytest.fixture
def earshot(demo_process: Earshot) -> Iterator[Earshot]:
    """On the demo line, with no call running, and none left running."""
    demo_process.end_all()  # a tab of the test before may have dialled while it was closed
    yield demo_process
    demo_process.end_all()


class Quiet(Earshot):
    """Its calls are answered at once and silent, and what happens in them is what a test tells. For tests that need a call and not its
    sound, which is most of what a conversation of the demo line costs the processor."""

    def __init__(self, url: str, vapi: StandIn, portal: BlockingPortal) -> None:
        super().__init__(url)
        self.vapi = vapi
        self._portal = portal

    def answered(self, number: str) -> str:
        """A call that is in progress; its id."""
        return str(self.place(number)["id"])

    def ring_in(self, number: str) -> str:
        """Has somebody with this number call; the call's id."""
        return self._portal.call(self.vapi.ring_in, number)

    def tell(self, call_id: str, *events: dict[str, Any]) -> None:
        """Has Vapi send these events to those who listen to the call: to Earshot, which always does."""
        self._portal.call(self.vapi.tell, call_id, *events)

    def say(self, call_id: str, role: str, text: str) -> None:
        """Has the `user` or the `assistant` say this."""
        self.tell(call_id, {"type": "transcript", "role": role, "transcriptType": "final", "transcript": text})

    def move(self, call_id: str, status: str, **more: Any) -> None:
        """Puts the call into another state at Vapi."""
        self._portal.call(partial(self.vapi.move, call_id, status, **more))


@contextmanager
def quiet_process(**environment: str) -> Iterator[Quiet]:
    """Such an Earshot, with these variables set as well."""
    environ = {"EARSHOT_ALLOWED_REGIONS": "*", "EARSHOT_CALLS_PER_HOUR": "1000"} | environment
    with scripted(AnsweredAtOnce()) as (vapi, portal), earshot_process(**vapi_environ(vapi.url) | environ) as earshot:
        yield Quiet(earshot.url, vapi, portal)


@pytest.fixture(scope="session")
def shared_quiet() -> Iterator[Quiet]:
    with quiet_process() as earshot:
        yield earshot


@pytest.fixture
def quiet(shared_quiet: Quiet) -> Iterator[Quiet]:
    """With no call running, and none left running. It remembers which numbers earlier tests dialled."""
    shared_quiet.end_all()
    yield shared_quiet
    shared_quiet.end_all()


@pytest.fixture(scope="module")
def vapi() -> Iterator[DemoLine]:
    """A demo line in the test's own process, which tells what was sent to it."""
    with demo_line(ring_seconds=1.0) as line:
        yield line


@pytest.fixture
def earshot_with() -> Iterator[Start]:
    """Starts an Earshot with these variables set. Ask for it before `open_tab`, so that tabs are closed before it ends."""
    with ExitStack() as processes:
        yield lambda **environment: processes.enter_context(earshot_process(**environment))


@pytest.fixture(scope="session")
def browsers() -> Iterator[Browsers]:
    started = Browsers()
    yield started
    started.close()


@pytest.fixture
def chromium(browsers: Browsers) -> Iterator[Browser]:
    with browsers.use("chromium") as browser:
        yield browser


@pytest.fixture(scope="session")
def kept_profiles() -> tuple[Tabs, Tabs]:
    return Tabs(), Tabs()


@pytest.fixture
def profiles(kept_profiles: tuple[Tabs, Tabs]) -> Iterator[tuple[Tabs, Tabs]]:
    """Browsers of two people, in which nothing is left of the tests before."""
    yield kept_profiles
    for profile in kept_profiles:
        profile.close()


@pytest.fixture
def tabs(chromium: Browser, profiles: tuple[Tabs, Tabs]) -> Callable[[str], Page]:
    """Empty tabs, each for an address, of one profile."""
    return lambda address: profiles[0].open(chromium, address)


@pytest.fixture
def open_tab(chromium: Browser, profiles: tuple[Tabs, Tabs]) -> Iterator[Open]:
    """Opens an address in a browser of its own, ready to be used. The test fails if any of its pages reports an error.

    `faulty` says that errors are what the test is about; `apart`, that it changes more of the browser than its storage; `script` is a file
    that the page runs before its own. Further options are those of `Browser.new_context`. The first two tabs with no other than `EMULATED`
    load the page the fastest.
    """
    contexts: list[BrowserContext] = []
    opened: list[Page] = []
    errors: list[str] = []

    def open_(address: str, *, faulty: bool = False, apart: bool = False, script: Path | None = None, **options: Any) -> Page:
        if apart or len(opened) >= len(profiles) or not options.keys() <= EMULATED:
            contexts.append(chromium.new_context(**options))
            page = contexts[-1].new_page()
        else:
            page = profiles[len(opened)].open(chromium, address, **options)
        opened.append(page)
        if not faulty:
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda message: _note(message, errors))
        if script:
            page.add_init_script(path=script)
        page.goto(address)
        page.wait_for_function("window.did_handshake === true")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not errors


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def plain_profile() -> AsyncIterator[async_api.BrowserContext]:
    """A browser for tests that are coroutines. They need `loop_scope="session"`, since it lives in one event loop."""
    async with async_api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=headless_path(), args=[*CHROMIUM_FLAGS, *PROFILE_FLAGS])
        priority.pass_on()
        context = await browser.new_context()
        kept = await context.new_page()
        await kept.route("**/*", lambda route: route.fulfill(body=""))
        await kept.goto("http://127.0.0.1/")
        yield context
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def call() -> AsyncIterator[LiveCall]:
    """What the plain page plays, without Earshot's server."""
    async with plain_server() as call:
        yield call


@pytest_asyncio.fixture(loop_scope="session")
async def page(plain_profile: async_api.BrowserContext, call: LiveCall) -> AsyncIterator[async_api.Page]:
    """An empty tab for the plain page, closed before its server ends. The test fails if the page throws an error."""
    page = await plain_profile.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    await page.close()
    assert faults == []


def _note(message: ConsoleMessage, errors: list[str]) -> None:
    if message.type == "error":
        errors.append(message.text)


@pytest.fixture
def line(earshot: Earshot) -> Iterator[Line]:
    carried = Line(earshot.url)
    yield carried
    carried.close()
