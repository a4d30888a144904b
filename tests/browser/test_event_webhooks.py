"""A webhook is added on the page, its secret shown once, its log seen, an event sent again; it is disabled, changed and deleted.

`test_every_language.py` sees that it fits a phone.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Locator, Page, expect
from standardwebhooks.webhooks import Webhook

from tests.browser.conftest import Earshot, Open, earshot_process
from tests.browser.states import BUSY
from tests.patience import HANG_S


class Receiver:
    def __init__(self) -> None:
        self.status = 500
        self.requests: list[tuple[bytes, dict[str, str]]] = []

    def verified(self, secret: str) -> list[str]:
        """The types of what came. Raises WebhookVerificationError."""
        return [Webhook(secret).verify(body, headers)["type"] for body, headers in self.requests]


@contextmanager
def receiving() -> Iterator[tuple[Receiver, str]]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.requests.append((self.rfile.read(int(self.headers["Content-Length"])), dict(self.headers)))
            self.send_response(receiver.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver, f"http://127.0.0.1:{server.server_port}/hook"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def served() -> Iterator[Earshot]:
    with earshot_process(EARSHOT_WEBHOOK_NETWORKS="127.0.0.1") as earshot:
        yield earshot


@pytest.fixture
def earshot(served: Earshot) -> Iterator[Earshot]:
    """Without webhooks, and none left."""
    yield served
    served.end_all()
    delete_webhooks(served)


def delete_webhooks(served: Earshot) -> None:
    for webhook in served._ask("GET", "/api/webhooks")["webhooks"]:
        urlopen(Request(f"{served.url}/api/webhooks/{webhook['id']}", method="DELETE"), timeout=30).close()


def open_panel(page: Page) -> Locator:
    page.get_by_test_id("settings").click()
    panel = page.get_by_test_id("event-webhooks")
    panel.locator("summary").first.click()
    return panel


def test_a_webhook_is_added_followed_changed_and_deleted(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    panel = open_panel(page)
    page.get_by_test_id("event-webhook-url").fill("http://10.0.0.1/")
    page.get_by_test_id("event-webhook-add").click()
    expect(panel).to_contain_text("EARSHOT_WEBHOOK_NETWORKS")
    with receiving() as (receiver, url):
        page.get_by_test_id("event-webhook-url").fill(url)
        panel.locator("form").first.get_by_label("call.created").check()
        page.get_by_test_id("event-webhook-add").click()
        shown = page.get_by_test_id("event-webhook-secret")
        expect(shown).to_contain_text("whsec_")
        secret = shown.text_content() or ""
        row = page.get_by_test_id("event-webhook")
        expect(row).to_contain_text("127.0.0.1")
        page.keyboard.press("Escape")
        expect(shown).to_be_empty()
        page.get_by_test_id("settings").click()
        expect(row).to_be_visible()
        assert secret not in page.content()

        earshot.place(BUSY)
        expect(row.get_by_text("1 event waits, since")).to_be_visible()
        row.get_by_test_id("event-webhook-log").locator("summary").click()
        delivery = row.get_by_test_id("delivery")
        expect(delivery).to_contain_text(re.compile("Waits · 500 · [12] attempt"))
        expect(delivery).to_contain_text("Next attempt")
        receiver.status = 200
        expect(delivery).to_contain_text(re.compile("Delivered · 200 · [23] attempts"), timeout=1000 * HANG_S)
        expect(row.get_by_text("wait, the oldest since")).to_be_hidden()
        delivery.get_by_role("button", name="Send again").click()
        expect(delivery).to_contain_text("Delivered · 200 · 1 attempt")
        types = receiver.verified(secret)
        assert len(types) > 2
        assert set(types) == {"call.created"}

        row.get_by_test_id("event-webhook-events").locator("summary").click()
        row.get_by_label("call.created").uncheck()
        row.get_by_label("call.ended").check()
        row.get_by_role("button", name="Save").click()
        expect(row.get_by_test_id("event-webhook-kinds")).to_have_text("call.ended")
        row.get_by_role("button", name="Disable").click()
        expect(row.get_by_text("Disabled since")).to_be_visible()
        row.get_by_role("button", name="Enable").click()
        expect(row.get_by_text("Disabled since")).to_be_hidden()
        row.get_by_test_id("event-webhook-delete").dblclick()  # one press
        row.get_by_role("button", name="Delete it and its log").click()
        expect(row).to_have_count(0)
