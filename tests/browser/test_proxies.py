"""Two processes on one PostgreSQL behind nginx and behind Caddy, under a path: login, page, sound, events, and the loss of a process."""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPResponse
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from services.demo_line import DemoLine
from tests.browser.conftest import Earshot
from tests.browser.lines import account
from tests.browser.proxies import PROXIES, nginx
from tests.journal.postgres import cluster, programs
from tests.patience import HANG_S
from tests.ports import free_port
from tests.process import MAIN, Process, started
from tests.web.test_tokens import entry

pytestmark = pytest.mark.process

PASSWORD = "correct horse"
ROOT_PATH = "/calls"


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    found = programs()
    assert found, "PostgreSQL is missing: `python -m tests.needs test` installs it or says how"
    with cluster(found) as server:
        yield server.url()


@pytest.fixture
def two(vapi: DemoLine, database: str, tmp_path: Path) -> Iterator[list[Process]]:
    """Two processes that share a journal, by the ports that they serve."""
    environ = account(vapi) | {
        "DATABASE_URL": database,
        "EARSHOT_ROOT_PATH": ROOT_PATH,
        "EARSHOT_PASSWORD": PASSWORD,
        "EARSHOT_API_TOKENS": entry("boss", "*", "boss"),
        "EARSHOT_TRUSTED_PROXIES": "127.0.0.1",
        "EARSHOT_METRICS_TOKEN": "measured",
    }
    with ExitStack() as running:
        processes = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            processes.append(running.enter_context(started(MAIN, cwd=tmp_path / name, environ=environ, port=free_port())))
        for process in processes:
            process.wait_until_served()
        yield processes
        for process in processes:
            process.kill()
            print(process.output)  # noqa: T201 - shown by pytest where a test failed
            assert "Traceback" not in process.output


def port_of(process: Process) -> int:
    return int(process.url.rpartition(":")[2])


def ask(url: str, path: str, *, as_: str = "boss") -> HTTPResponse:
    request = urllib.request.Request(url + path, headers={"Authorization": f"Bearer {as_}"})
    answer: HTTPResponse = urllib.request.urlopen(request, timeout=HANG_S)
    return answer


def listeners(process: Process) -> float:
    with ask(process.url, "/metrics", as_="measured") as answer:
        text = answer.read().decode()
    return float(next(line.split()[1] for line in text.splitlines() if line.startswith("earshot_listeners ")))


def hears(page: Page) -> None:
    expect(page.get_by_test_id("player-state")).to_have_attribute("data-state", "playing")


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_call_is_dialled_and_heard_and_goes_on_when_its_process_dies(
    two: list[Process], tabs: Callable[[str], Page], proxy: str, tmp_path: Path
) -> None:
    with PROXIES[proxy](tmp_path, [port_of(process) for process in two]) as url:
        page = tabs(url)
        page.goto(url + ROOT_PATH)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_function("window.did_handshake === true")
        page.get_by_test_id("dial-number").fill(f"+1415555267{list(PROXIES).index(proxy)}")
        page.get_by_test_id("dial-call").click()
        hears(page)
        assert page.url.startswith(f"{url}{ROOT_PATH}/?call=")
        call_id = page.url.partition("?call=")[2]

        with ask(url, f"{ROOT_PATH}/api/calls/{call_id}") as answer:
            call = json.load(answer)
        assert call["links"]["self"] == f"{ROOT_PATH}/api/calls/{call_id}"
        assert call["listenUrl"].startswith(url.replace("http", "ws") + f"{ROOT_PATH}/api/calls/{call_id}/listen?ticket=")
        with ask(url, call["links"]["events"]) as events:
            assert events.readline().strip()  # at once, not when a buffer of the proxy is full
        with ask(url, f"{ROOT_PATH}/api/calls.csv") as table:
            assert call_id in table.read().decode()

        # The page's own process, told by a listener that stays: the one that followed its events above may not be gone yet.
        give_up = time.monotonic() + HANG_S
        while len(busy := [process for process in two if listeners(process)]) != 1:
            assert time.monotonic() < give_up
            time.sleep(0.1)
        page.evaluate("window.loadedBefore = true")
        busy[0].kill()
        page.wait_for_function("() => !window.loadedBefore && window.did_handshake === true")  # NiceGUI reloads it at the other process
        if page.get_by_test_id("player-state").get_attribute("data-state") in ("idle", "blocked"):
            page.get_by_test_id("listen-toggle").click()
        hears(page)
        other = next(process for process in two if process is not busy[0])
        assert listeners(other)
        page.get_by_test_id("call-end").click()
        expect(page.get_by_test_id("call-status")).to_have_attribute("data-status", "ended")
        page.close()


@pytest.mark.parametrize("header", ["", "proxy_set_header Host $http_host;"], ids=["nginx-defaults", "host-passed-on"])
def test_a_proxy_that_passes_no_websockets_is_named(earshot: Earshot, tabs: Callable[[str], Page], header: str, tmp_path: Path) -> None:
    port = int(earshot.url.rpartition(":")[2])
    example = "server { listen 443 ssl; location / { proxy_pass http://127.0.0.1:8081; " + header + " } }"
    with nginx(tmp_path, [port, port], example=example) as url:
        page = tabs(url)
        page.goto(url)
        expect(page.get_by_test_id("offline")).to_contain_text("The proxy does not pass WebSockets")
        page.close()
