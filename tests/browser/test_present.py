"""Present: what a room sees of a call, and what it must not see."""

import re

from playwright.sync_api import Page, expect

from services.domain.call import CallStatus
from services.domain.phone_number import international
from tests.browser.conftest import Earshot, Open, Quiet
from tests.browser.states import NEVER_CALLED_BEFORE
from tests.browser.test_axe import violations
from tests.browser.test_page import NUMBER, dial, part, see_status
from tests.browser.test_palette import palette
from tests.browser.test_stage import sizes

NOT_FOR_OTHERS = re.compile(r"415|555|United States|Main line")

FOR_A_ROOM = re.compile(r"^(top|sound|transcript)\b")


def presenting(earshot: Earshot, open_tab: Open) -> Page:
    """On the demo line, with its sound."""
    page = open_tab(f"{earshot.url}/?call={earshot.place(NUMBER)['id']}", viewport={"width": 1280, "height": 720})
    part(page, "listen-toggle").click()
    see_status(page, CallStatus.IN_PROGRESS)
    expect(part(page, "transcript").locator(".bubble").first).to_be_visible()
    present(page)
    return page


def present(page: Page) -> None:
    expect(part(page, "present")).to_be_visible()  # with the call or just after it, and until then the key does nothing
    page.locator("body").press("p")
    expect(part(page, "present-leave")).to_be_focused()


def seen(page: Page) -> str:
    return str(page.evaluate("document.body.innerText"))


def test_a_room_reads_the_call_and_not_whom_it_is_with_nor_the_rest_of_the_card(earshot: Earshot, open_tab: Open) -> None:
    page = presenting(earshot, open_tab)
    expect(page.locator(".lane.speaks")).not_to_have_count(0)  # somebody speaks, and the lane says so
    for size in sizes(page, (1280, 720), (1920, 1080)):
        text = seen(page)
        assert not NOT_FOR_OTHERS.search(text), text
        assert "• •••-•••-••71" in text
        assert not NOT_FOR_OTHERS.search(page.title()), page.title()
        expect(part(page, "call-status")).to_be_in_viewport(ratio=1)
        expect(page.locator(".right .call-clock")).to_be_in_viewport(ratio=1)
        for lane in page.locator(".wave").all():
            expect(lane).to_be_in_viewport(ratio=1)
            box = lane.bounding_box()
            assert box
            assert box["width"] > 0.85 * size["width"]
        newest = part(page, "transcript").locator(".bubble").last
        expect(newest).to_be_in_viewport()
        assert newest.locator(".said").evaluate("line => parseFloat(getComputedStyle(line).fontSize)") >= 28
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert list(violations(page)) == []  # on the wide screen; `test_axe.py` sees it on the laptop
    # of the card who talks, what is said, and nothing else
    assert others_in_sight(page) == []
    page.keyboard.press("p")
    part(page, "call-end").click()
    see_status(page, CallStatus.ENDED)
    expect(part(page, "annotations")).to_be_visible()
    page.locator("body").press("p")
    expect(part(page, "present-leave")).to_be_focused()
    assert others_in_sight(page) == []


def others_in_sight(page: Page) -> list[str]:
    """The classes of the card's parts that are not for a room, on a phone, a laptop and a wide screen."""
    found = []
    for width, height in ((390, 844), (1280, 720), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        parts = page.locator(".stage > :last-child > :not(.talked), .talked > *").filter(visible=True)
        seen = parts.evaluate_all("all => all.map((one) => one.className)")
        assert {"top", "transcript"} <= {name.split()[0] for name in seen}, seen
        found += [name for name in seen if not FOR_A_ROOM.match(name)]
    page.set_viewport_size({"width": 1280, "height": 720})
    return found


def test_the_palette_has_it_while_a_call_is_shown_and_a_button_or_a_key_leaves_it(quiet: Quiet, open_tab: Open) -> None:
    page = open_tab(quiet.url)
    options = palette(page)
    expect(options.first).to_be_visible()
    expect(options.filter(has_text="Present the call")).to_have_count(0)
    page.keyboard.press("Escape")
    number = next(NEVER_CALLED_BEFORE)
    dial(page, number)
    see_status(page, CallStatus.IN_PROGRESS)
    page.locator("body").press("Control+k")
    page.keyboard.type("present")
    page.keyboard.press("Enter")
    expect(part(page, "present-leave")).to_be_visible()
    part(page, "present-leave").click()
    expect(page.get_by_role("banner")).to_be_visible()
    for key in ("Escape", "p"):  # each leaves it, and everything is back
        present(page)
        page.keyboard.press(key)
        expect(part(page, "present-leave"), key).to_have_count(0)
        expect(page.locator(".stage .who"), key).to_have_text(international(number))
        expect(page.locator(".masked"), key).to_be_hidden()
        expect(part(page, "call-end"), key).to_be_in_viewport()
        expect(page, key).to_have_title(re.compile(international(number).removeprefix("+1 ")))
