"""Earshot stops in the middle of a call and is started again, while a page is open: what the page says of the call."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from services.domain.call import CallStatus
from tests.browser.conftest import Earshot, Open
from tests.browser.lines import account, demo_line
from tests.browser.test_page import NUMBER, PATIENCE, dial, part, see_dialled, see_status
from tests.ports import free_port
from tests.process import MAIN, started

COMES_BACK = 60_000  # ms in which a page tries again, and is loaded anew


@pytest.fixture
def port() -> int:
    return free_port()


def under_way(page: Page) -> None:
    dial(page)
    see_status(page, CallStatus.IN_PROGRESS)


def test_a_call_of_the_demo_line_is_gone_and_the_page_says_why(tmp_path: Path, port: int, open_tab: Open) -> None:
    with started(MAIN, cwd=tmp_path, port=port) as app:
        app.wait_until_served()
        call = Earshot(app.url).place(NUMBER)["id"]
        page = open_tab(f"{app.url}/?call={call}", faulty=True)
        see_dialled(page)
        assert app.stop() == 0
        expect(part(page, "offline")).to_contain_text("No connection to Earshot", timeout=PATIENCE)
        expect(part(page, "offline")).not_to_contain_text("continue")
    with started(MAIN, cwd=tmp_path, port=port) as app:
        app.wait_until_served()
        alert = page.get_by_role("alert").filter(has_text="No such call")
        expect(alert).to_contain_text("Calls on the demo line end when Earshot stops.", timeout=COMES_BACK)
        expect(part(page, "call-status")).to_have_count(0)


def test_a_call_at_vapi_continues_and_the_page_shows_it_again(tmp_path: Path, port: int, open_tab: Open) -> None:
    with demo_line(ring_seconds=0.5) as vapi:
        with started(MAIN, cwd=tmp_path, environ=account(vapi), port=port) as app:
            app.wait_until_served()
            page = open_tab(app.url, faulty=True)
            under_way(page)
            app.kill()
            expect(part(page, "offline")).to_contain_text("Active calls continue", timeout=PATIENCE)
        with started(MAIN, cwd=tmp_path, environ=account(vapi), port=port) as app:
            app.wait_until_served()
            expect(part(page, "offline")).to_have_count(0, timeout=COMES_BACK)
            see_status(page, CallStatus.IN_PROGRESS)
            expect(part(page, "listen-toggle")).to_have_text("Listen", timeout=COMES_BACK)
            part(page, "call-end").click()
            see_status(page, CallStatus.ENDED)
