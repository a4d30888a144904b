"""Another website in the same browser: it can't dial, listen, read, or show our page as its own."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import nicegui
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.browsers import FOREIGN
from tests.browser.conftest import Earshot

BODY = '{"to": "+14155552671"}'


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Another website</title><p>Hello")

    def log_message(self, *_: Any) -> None:
        """Says nothing: what it serves is not the matter here."""


@pytest.fixture
def foreign_page(chromium: Browser) -> Iterator[Any]:
    """A page of another origin, in a browser that believes `evil.example` to be this machine, as after DNS rebinding."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    page = chromium.new_page()
    page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
    yield page
    page.context.close()
    server.shutdown()
    server.server_close()
    thread.join()


FETCHES = {
    "with a preflight": {"method": "POST", "body": BODY, "headers": {"Content-Type": "application/json"}},
    "without one": {"method": "POST", "body": BODY, "headers": {"Content-Type": "text/plain"}},
    "and no answer wanted": {"method": "POST", "body": BODY, "mode": "no-cors"},
    "to read the calls": {"method": "GET"},
}


@pytest.mark.parametrize("name", FETCHES)
def test_fetching(foreign_page: Any, earshot: Earshot, name: str) -> None:
    before = len(earshot.calls())
    path = "/api/calls" if "read" in name else "/api/vapi_call"
    heard = foreign_page.evaluate(
        "([url, how]) => fetch(url, how).then(answer => answer.text(), error => 'refused: ' + error)", [earshot.url + path, FETCHES[name]]
    )
    assert heard == "" or heard.startswith("refused")
    assert len(earshot.calls()) == before


def test_posting_a_form(foreign_page: Any, earshot: Earshot) -> None:
    before = len(earshot.calls())
    foreign_page.evaluate(
        """url => new Promise(done => {
            const frame = document.body.appendChild(Object.assign(document.createElement("iframe"), {name: "sink"}));
            const form = document.body.appendChild(Object.assign(document.createElement("form"),
                {method: "post", enctype: "text/plain", action: url + "/api/vapi_call", target: "sink"}));
            form.append(Object.assign(document.createElement("input"), {name: '{"to": "+14155552671", "x": "', value: '"}'}));
            frame.onload = done;
            form.submit();
        })""",
        earshot.url,
    )
    assert len(earshot.calls()) == before


@pytest.mark.parametrize("which", ["listen", "page"])
@pytest.mark.parametrize("name", ["127.0.0.1", FOREIGN])
def test_opening_a_socket(foreign_page: Any, earshot: Earshot, which: str, name: str) -> None:
    call = earshot.place("+14155552671")
    page_socket = earshot.url.replace("http", "ws") + "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    url = (call["listenUrl"] if which == "listen" else page_socket).replace("127.0.0.1", name)
    opened = foreign_page.evaluate(
        """url => new Promise(done => {
            const socket = new WebSocket(url);
            socket.onopen = () => done("open");
            socket.onerror = () => done("refused");
        })""",
        url,
    )
    assert opened == "refused"


def test_reading_after_dns_rebinding(foreign_page: Any, earshot: Earshot) -> None:
    page = foreign_page.context.browser.new_page()
    answer = page.goto(earshot.url.replace("127.0.0.1", FOREIGN) + "/api/calls")
    assert answer.status == 400
    assert "calls" not in answer.json()
    page.close()


def test_showing_our_page_in_a_frame(foreign_page: Any, earshot: Earshot) -> None:
    foreign_page.evaluate(
        """url => new Promise(done => {
            const frame = document.createElement("iframe");
            frame.onload = () => done();
            frame.src = url;
            document.body.append(frame);
        })""",
        earshot.url,
    )
    assert len(foreign_page.frames) > 1
    assert all("Earshot" not in frame.content() for frame in foreign_page.frames)


@pytest.mark.parametrize(("tag", "path"), [("img", "/favicon.ico"), ("script", f"/_nicegui/{nicegui.__version__}/static/nicegui.js")])
def test_loading_an_answer_into_a_page(foreign_page: Any, earshot: Earshot, tag: str, path: str) -> None:
    loaded = foreign_page.evaluate(
        """([url, tag]) => new Promise(done => {
            const element = document.createElement(tag);
            element.onload = () => done("loaded");
            element.onerror = () => done("refused");
            element.src = url;
            document.body.append(element);
        })""",
        [earshot.url + path, tag],
    )
    assert loaded == "refused"


MARKUP = """
    <img src="/nothing.png" onerror="window.ran = 'a handler'">
    <a href="javascript:window.ran = 'a link'" onclick="window.ran = 'a click'">x</a>
    <iframe srcdoc="<script>parent.ran = 'a frame'</script>"></iframe>
    <svg onload="window.ran = 'a drawing'"></svg>
"""
SCRIPTS = "window.ran = 'a script'"


def test_markup_that_somebody_got_into_our_page_runs_no_script(tabs: Callable[[str], Page], earshot: Earshot) -> None:
    page = tabs(earshot.url)
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(earshot.url)
    page.wait_for_function("document.querySelectorAll('#app button').length > 3")
    ran = page.evaluate(
        """async ([markup, script]) => {
            const place = document.createElement("div");
            place.id = "injected";
            document.body.append(place);
            place.innerHTML = markup;
            place.querySelector("a").click();
            for (const attributes of [{ textContent: script }, { src: "data:text/javascript," + script }])
                place.append(Object.assign(document.createElement("script"), attributes));
            await new Promise((resolve) => setTimeout(resolve, 500));
            return window.ran ?? null;
        }""",
        [MARKUP, SCRIPTS],
    )
    assert ran is None
    assert sum("Content Security Policy" in text for text in refused) >= 5
