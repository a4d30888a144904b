"""A wide window: three columns from edge to edge, and everything that a call needs in sight."""

import pytest
from playwright.sync_api import Page, expect

from services.domain.call import CallStatus
from tests.browser.conftest import Earshot, Open
from tests.browser.test_page import NUMBER, dial, part, see_status

SIZES = [(1800, 1000), (1920, 1080), (2560, 1440)]


def edges(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).first.bounding_box()
    assert box
    return box["x"], box["x"] + box["width"]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_three_columns_use_the_whole_window(earshot: Earshot, open_tab: Open, width: int, height: int) -> None:
    page = open_tab(earshot.url, viewport={"width": width, "height": height})
    dial(page, NUMBER)
    see_status(page, CallStatus.IN_PROGRESS)
    expect(part(page, "transcript").locator(".bubble").first).to_be_visible()
    calls, call, talk = (edges(page, selector) for selector in (".log", ".sound", "[data-testid=transcript]"))
    assert calls[0] <= 30
    assert calls[1] <= call[0] < call[1] <= talk[0]
    assert talk[1] >= width - 30
    for needed in ("call-end", "say-send", "say-text", "transcript"):
        expect(part(page, needed)).to_be_in_viewport(ratio=1)
    page.get_by_label("Have the assistant say").fill("One moment.")
    page.keyboard.press("Enter")
    expect(part(page, "timeline")).to_be_in_viewport(ratio=1)
    assert edges(page, "[data-testid=timeline]")[0] >= call[1]
    stage = page.locator(".stage").bounding_box()  # the list beside it grows with the calls of other tests
    assert stage
    assert stage["y"] + stage["height"] <= height
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    part(page, "call-end").click()
    see_status(page, CallStatus.ENDED)
    assert edges(page, "[data-testid=transcript]") == talk


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1440, 900), *SIZES])
def test_the_composer_and_end_call_are_in_sight(earshot: Earshot, open_tab: Open, width: int, height: int) -> None:
    in_sight(open_tab(earshot.url, viewport={"width": width, "height": height}))


@pytest.mark.parametrize("language", ["de", "es", "fr"])
def test_they_are_in_sight_on_a_laptop_in_every_language(earshot: Earshot, open_tab: Open, language: str) -> None:
    in_sight(open_tab(earshot.url, viewport={"width": 1280, "height": 720}, locale=language))


def in_sight(page: Page) -> None:
    dial(page, NUMBER)
    see_status(page, CallStatus.IN_PROGRESS)
    for needed in ("call-end", "say-send", "say-text"):
        expect(part(page, needed)).to_be_in_viewport(ratio=1)
    expect(part(page, "transcript").locator(".said").last).to_be_in_viewport()  # there is room for what is said
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")
