"""A supervisor's round: two calls dialled, one heard, spoken into and handed over, both ended, found again, and one replayed."""

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from services.demo_line import DemoLine
from services.domain.call import CallStatus
from tests.browser.conftest import Earshot, Open, Start
from tests.browser.lines import account
from tests.browser.plain_page.hearing import Heard
from tests.browser.seen import Seen
from tests.browser.test_page import NUMBER, PATIENCE, dial, part, see_status
from tests.browser.test_steering import choose_way
from tests.process import ROOT

TAP = ROOT / "tests" / "browser" / "plain_page" / "tap.js"
OTHER = "+442079460958"
LINE = "We can also offer Friday at nine."


@pytest.fixture
def earshot(vapi: DemoLine, earshot_with: Start) -> Earshot:
    return earshot_with(**account(vapi))


def row(page: Page, number: str) -> Locator:
    return part(page, "call-log").locator(".row", has_text=number)


def test_a_walk(earshot: Earshot, vapi: DemoLine, open_tab: Open) -> None:
    # The recorder is a worklet from a blob, which the page's own content policy would rightly refuse.
    page = open_tab(earshot.url, bypass_csp=True)
    page.add_init_script(path=TAP)
    for number, written in ((NUMBER, "+1 415-555-2671"), (OTHER, "+44 20 7946 0958")):
        dial(page, number)
        expect(page.get_by_role("heading", name=written)).to_be_visible()
        see_status(page, CallStatus.IN_PROGRESS)
    first, second = (next(call["id"] for call in earshot.calls() if call["to"] == number) for number in (NUMBER, OTHER))

    row(page, "+1 415").click()
    expect(page.get_by_role("heading", name="+1 415-555-2671")).to_be_visible()
    expect(part(page, "player-state")).to_have_attribute("data-state", "playing", timeout=PATIENCE)
    expect(part(page, "player-state")).to_have_count(1)

    expect(part(page, "transcript")).to_contain_text("Hi, this is Riley from Wellness Partners", timeout=PATIENCE)
    part(page, "record").click()
    expect(page.get_by_text("This call is being recorded.")).to_be_visible()

    page.get_by_label("Have the assistant say").fill(LINE)
    page.keyboard.press("Enter")
    expect(part(page, "timeline")).to_contain_text(LINE)
    expect(part(page, "timeline")).to_contain_text("Delivered")
    assert vapi.controls(first) == [{"type": "say", "content": LINE, "endCallAfterSpoken": False}]

    expect(part(page, "transcript").locator(".bubble.assistant", has_text=LINE)).to_be_visible(timeout=PATIENCE)

    choose_way(page, "Transfer")
    page.get_by_label("Number or SIP address").fill("+49 30 901820")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Transfer the call to +49 30 901820 (Germany)?")).to_be_visible()
    assert len(vapi.controls(first)) == 1
    part(page, "transfer-confirm").click()
    expect(part(page, "timeline")).to_contain_text("Transferred the call to +49 30 901820")
    assert vapi.controls(first)[-1] == {"type": "transfer", "destination": {"type": "number", "number": "+4930901820"}}

    see_status(page, CallStatus.ENDED)
    row(page, "+44 20").click()
    see_status(page, CallStatus.IN_PROGRESS)
    part(page, "call-end").click()
    see_status(page, CallStatus.ENDED)
    expect(page.get_by_role("heading", name="Active")).to_be_hidden()
    assert vapi.controls(second) == [{"type": "end-call"}]

    found = part(page, "call-log").get_by_role("searchbox")
    for typed, number in (("415 555", "+1 415-555-2671"), ("+44 20 7946", "+44 20 7946 0958")):
        found.fill(typed)
        expect(part(page, "call-log").locator(".row")).to_have_count(1)
        expect(part(page, "call-log").locator(".row")).to_contain_text(number)
    page.reload()
    row(page, "+1 415").click()
    expect(page.get_by_role("heading", name="+1 415-555-2671")).to_be_visible()
    expect(page.get_by_label("Call", exact=True)).to_contain_text("The call was transferred from here.")
    expect(part(page, "transcript")).to_contain_text("Hello?", timeout=PATIENCE)

    part(page, "replay-open").click()
    clock = Seen(page.get_by_test_id("replay-time"))
    part(page, "replay-play").click()
    expect(part(page, "replay")).to_have_attribute("data-state", "playing")
    clock.wait("0:05")
    assert np.abs(Heard.of(page.evaluate("window.heard()")).sound).max() > 0.05
    expect(part(page, "transcript")).to_be_hidden()
    part(page, "recording-delete").dblclick()  # one press
    expect(part(page, "recording-delete")).to_have_text("Delete for good?")
