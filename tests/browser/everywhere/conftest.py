"""One test, three browsers, and a call whose sound is known. The end of a run names the browsers that this machine lacks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import Earshot, earshot_process
from tests.browser.everywhere.chromium import Chromium
from tests.browser.everywhere.driver import BrowserError, Driver
from tests.browser.everywhere.firefox import Firefox
from tests.browser.everywhere.listener import Listener
from tests.browser.everywhere.network import Network
from tests.browser.everywhere.sound_server import SoundServer
from tests.browser.everywhere.spoken import write
from tests.browser.everywhere.webkit import WebKit
from tests.browser.lines import account, demo_line

BROWSERS: dict[str, type[Driver]] = {kind.name: kind for kind in (Chromium, Firefox, WebKit)}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test once for every browser. What one browser runs is kept together, so that it is started once."""
    if "browser" in metafunc.fixturenames:
        browsers = [pytest.param(name, marks=pytest.mark.together(f"everywhere {name}")) for name in BROWSERS]
        metafunc.parametrize("browser", browsers, indirect=True)


@pytest.fixture(scope="session")
def sound_server() -> Iterator[SoundServer]:
    if missing := SoundServer.missing():
        pytest.skip(f"No sound is heard here: apt-get install {missing}")
    server = SoundServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("noise"))


@pytest.fixture(scope="session")
def talking(noise: Path) -> Iterator[Earshot]:
    """An Earshot whose calls say where in the call they are."""
    with demo_line(ring_seconds=0.5, conversation=noise) as line, earshot_process(**account(line)) as earshot:
        yield earshot


@pytest.fixture
def network(talking: Earshot) -> Iterator[Network]:
    network = Network(talking.url)
    yield network
    talking.end_all()
    network.close()


@pytest.fixture(scope="session")
def running() -> Iterator[dict[str, Driver]]:
    """Browsers that have been started."""
    browsers: dict[str, Driver] = {}
    yield browsers
    for browser in browsers.values():
        browser.close()


@pytest.fixture
def browser(request: pytest.FixtureRequest, sound_server: SoundServer, running: dict[str, Driver]) -> Iterator[Driver]:
    """Started once, and again after its sound server has died: that may leave it in any state."""
    kind = BROWSERS[request.param]
    if missing := kind.missing():
        pytest.skip(f"{kind.name} is not tested here: apt-get install {missing}")
    deaths = sound_server.deaths
    browser = running.get(kind.name) or running.setdefault(kind.name, kind(sound_server.environ))
    yield browser
    if sound_server.deaths != deaths:
        sound_server.revive()
        running.pop(kind.name).close()
    elif not _left_page(browser):
        running.pop(kind.name).close()


def _left_page(browser: Driver) -> bool:
    """False if it hangs, as a test's failure says."""
    try:
        browser.open("about:blank")
    except (BrowserError, OSError):
        return False
    return True


@pytest.fixture
def listener(browser: Driver, network: Network, sound_server: SoundServer) -> Iterator[Listener]:
    listener = Listener(browser, network, sound_server)
    yield listener
    listener.close()
