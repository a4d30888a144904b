"""Who is at the other end, on the page: a name, an extension, a SIP address, a browser."""

from functools import partial
from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import Open, Start
from tests.browser.lines import scripted
from tests.browser.test_page import part
from tests.process import vapi_environ

NUMBER = "+14155552671"


def test_the_page_says_who_is_on_the_line(earshot_with: Start, open_tab: Open) -> None:
    customers: dict[str, dict[str, Any]] = {
        "Call in a browser": {"type": "webCall", "customer": None},
        "sip:desk@pbx.example": {"customer": {"sipUri": "sip:desk@pbx.example"}},
        "+1 415-555-2671, ext. 12": {"customer": {"number": NUMBER, "extension": "12", "name": "Dana <b>Ng</b>"}},
    }
    with scripted() as (vapi, portal):
        earshot = earshot_with(**vapi_environ(vapi.url), EARSHOT_ALLOWED_REGIONS="*")
        page = open_tab(earshot.url)
        for more in customers.values():
            portal.call(partial(vapi.ring_in, NUMBER, **more))
        for shown in customers:
            row = part(page, "call-log").locator(".row", has_text=shown)
            expect(row).to_be_visible(timeout=60_000)
            row.click()
            expect(page.get_by_role("heading", name=shown)).to_be_visible()
        expect(row).to_contain_text("Dana <b>Ng</b> · Answered")
        expect(page.locator(".stage .sub")).to_contain_text("Dana <b>Ng</b>, United States")
