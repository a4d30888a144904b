"""A wide window: three columns from edge to edge, and everything that a call needs in sight."""

from playwright.sync_api import Page, expect

from services.domain.call import CallStatus
from tests.browser.conftest import Open, Quiet
from tests.browser.states import NEVER_CALLED_BEFORE
from tests.browser.test_every_language import see_what_a_call_needs
from tests.browser.test_page import dial, part, see_status
from tests.browser.test_stage import sizes

SIZES = [(1800, 1000), (1920, 1080), (2560, 1440)]


def talking(quiet: Quiet, open_tab: Open) -> Page:
    """A page that listens to a call in which somebody has spoken."""
    page = open_tab(quiet.url)
    dial(page, next(NEVER_CALLED_BEFORE))
    see_status(page, CallStatus.IN_PROGRESS)
    [call] = [call["id"] for call in quiet.calls() if call["status"] != "ended"]
    quiet.say(call, "assistant", "Hi, this is Riley from Wellness Partners.")
    expect(part(page, "transcript").locator(".bubble").first).to_be_visible()
    return page


def edges(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).first.bounding_box()
    assert box
    return box["x"], box["x"] + box["width"]


def test_a_call_is_in_sight_and_three_columns_use_the_whole_window(quiet: Quiet, open_tab: Open) -> None:
    page = talking(quiet, open_tab)
    for _ in sizes(page, (1280, 720), (1440, 900), *SIZES):
        see_what_a_call_needs(page)
    found = {}
    for size in sizes(page, *SIZES):
        calls, call, talk = (edges(page, selector) for selector in (".log", ".sound", "[data-testid=transcript]"))
        assert calls[0] <= 30
        assert calls[1] <= call[0] < call[1] <= talk[0]
        assert talk[1] >= size["width"] - 30
        for needed in ("call-end", "say-send", "say-text", "transcript"):
            expect(part(page, needed)).to_be_in_viewport(ratio=1)
        found[size["width"]] = call, talk
    page.get_by_label("Have the assistant say").fill("One moment.")
    page.keyboard.press("Enter")
    for size in sizes(page, *SIZES):
        expect(part(page, "timeline")).to_be_in_viewport(ratio=1)
        assert edges(page, "[data-testid=timeline]")[0] >= found[size["width"]][0][1]
        stage = page.locator(".stage").bounding_box()  # the list beside it grows with the calls of other tests
        assert stage
        assert stage["y"] + stage["height"] <= size["height"]
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    part(page, "call-end").click()
    see_status(page, CallStatus.ENDED)
    for size in sizes(page, *SIZES):
        assert edges(page, "[data-testid=transcript]") == found[size["width"]][1]
