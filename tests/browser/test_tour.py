"""The tour: it names parts of the page that are in sight, and can be left at any step."""

from playwright.sync_api import Locator, expect

from tests.browser.conftest import Earshot, Open
from tests.browser.test_page import part
from tests.browser.test_palette import palette


def test_it_leads_from_part_to_part_leaves_nothing_behind_and_is_offered_again(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url, viewport={"width": 1280, "height": 720})
    before = len(earshot.calls())
    part(page, "tour-start").click()
    tour = part(page, "tour")
    toured = page.locator("[data-toured]")
    for step in range(1, 7):
        expect(tour).to_contain_text(f"{step} / 6")
        expect(toured).to_have_count(1)
        expect(toured).to_be_in_viewport()
        assert hidden_share(toured, tour) < 0.25
        if step < 6:
            page.keyboard.press("Tab")  # to Next, if it has not the focus
            part(page, "tour-next").press("Enter")
    expect(part(page, "tour-next")).to_have_count(0)
    part(page, "tour-skip").click()
    expect(tour).to_be_hidden()
    expect(toured).to_have_count(0)
    assert len(earshot.calls()) == before
    # Escape leaves it too, and the palette offers it again
    part(page, "tour-start").click()
    expect(tour).to_be_visible()
    page.keyboard.press("Escape")
    expect(tour).to_be_hidden()
    expect(toured).to_have_count(0)
    options = palette(page)
    page.keyboard.type("Show me")
    expect(options).to_have_count(1)
    page.keyboard.press("Enter")
    expect(tour).to_be_visible()


def hidden_share(under: Locator, over: Locator) -> float:
    """Which share of an element another one covers."""
    one, other = under.bounding_box(), over.bounding_box()
    assert one
    assert other
    width = min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"])
    height = min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"])
    return max(width, 0.0) * max(height, 0.0) / (one["width"] * one["height"])
