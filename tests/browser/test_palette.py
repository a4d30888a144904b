"""Keyboard alone: the palette finds and does what the page can do, `?` names the keys, and a key never ends a call by itself."""

import pytest
from playwright.sync_api import Locator, Page, expect

from services.domain.call import CallStatus
from tests.browser.conftest import Earshot, Open
from tests.browser.test_page import part, see_status

NUMBER = "+14155552671"


def palette(page: Page) -> Locator:
    expect(page.locator(".keys")).to_be_attached()  # built once the page is connected
    page.keyboard.press("Control+k")
    expect(part(page, "palette")).to_be_visible()
    return part(page, "palette").get_by_role("option")


def on_a_call(earshot: Earshot, open_tab: Open) -> Page:
    """The page with a call on it, which nobody there listens to, and no field focused."""
    call = earshot.place(NUMBER)["id"]
    page = open_tab(f"{earshot.url}/?call={call}")
    expect(page.locator(".keys")).to_be_attached()
    expect(part(page, "call-end")).to_be_enabled()
    page.locator("body").click(position={"x": 2, "y": 2})
    return page


def test_it_finds_calls_assistants_settings_and_numbers_and_dials_nothing(earshot: Earshot, open_tab: Open) -> None:
    call = earshot.place("+12025550102")
    page = open_tab(earshot.url)
    options = palette(page)
    page.keyboard.type("202 555 0102".replace(" ", "-"))
    expect(options.first).to_contain_text("+1 202-555-0102")
    page.keyboard.press("Enter")
    expect(part(page, "palette")).to_be_hidden()
    expect(page).to_have_url(f"{earshot.url}/?call={call['id']}")
    options = palette(page)
    page.keyboard.type("sam")
    expect(options.first).to_contain_text("Sam, feedback")
    page.keyboard.press("Enter")
    assert part(page, "dial-assistant").evaluate("list => list.selectedOptions[0].text") == "Sam, feedback"
    options = palette(page)
    page.keyboard.type("dark")
    expect(options).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    before = len(earshot.calls())
    palette(page)
    page.keyboard.type(NUMBER)
    page.keyboard.press("Enter")
    expect(part(page, "dial-number")).to_have_value("+1 415-555-2671")
    expect(part(page, "dial-number")).to_be_focused()
    assert len(earshot.calls()) == before


def test_arrows_choose_escape_closes_and_what_is_not_there_is_said(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    options = palette(page)
    expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    page.keyboard.type("<b>nothing like it")
    expect(options).to_have_count(0)
    expect(part(page, "palette").get_by_role("status")).to_have_text("No calls found")
    page.keyboard.press("Escape")
    expect(part(page, "palette")).to_be_hidden()


def test_a_key_asks_before_it_ends_a_call(earshot: Earshot, open_tab: Open) -> None:
    page = on_a_call(earshot, open_tab)
    page.keyboard.press("e")
    question = page.get_by_role("dialog", name="End the call with +1 415-555-2671?")
    expect(question).to_be_visible()
    page.keyboard.press("Enter")  # the first button keeps the call
    expect(question).to_be_hidden()
    expect(part(page, "call-end")).to_be_enabled()
    assert earshot.calls()[0]["status"] != "ended"
    page.keyboard.press("e")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    see_status(page, CallStatus.ENDED)


def test_a_yes_ends_only_the_call_that_the_question_named(earshot: Earshot, open_tab: Open) -> None:
    other = earshot.place("+12025550102")
    page = on_a_call(earshot, open_tab)
    page.keyboard.press("e")
    expect(page.get_by_role("dialog", name="End the call with +1 415-555-2671?")).to_be_visible()
    page.locator(f".row[data-call='{other['id']}']").evaluate("row => row.click()")  # the stage changes behind the question
    expect(page).to_have_url(f"{earshot.url}/?call={other['id']}")
    expect(part(page, "call-end")).to_be_attached()
    page.get_by_role("dialog").get_by_role("button", name="End call").click()
    question = page.get_by_role("dialog", name="End the call with +1 202-555-0102?")
    expect(question).to_be_visible()
    assert [call["status"] for call in earshot.calls()[:2]].count("ended") == 0
    question.get_by_role("button", name="End call").click()
    see_status(page, CallStatus.ENDED)


def test_a_key_asks_before_it_records_and_before_it_stops(earshot: Earshot, open_tab: Open) -> None:
    page = on_a_call(earshot, open_tab)
    see_status(page, CallStatus.IN_PROGRESS)
    page.keyboard.press("r")
    question = page.get_by_role("dialog", name="Record the call with +1 415-555-2671?")
    expect(question).to_be_visible()
    expect(part(page, "record")).to_have_attribute("aria-checked", "false")
    question.get_by_role("button", name="Record the call").click()
    expect(part(page, "record")).to_have_attribute("aria-checked", "true")
    page.keyboard.press("r")
    expect(page.get_by_role("dialog", name="Stop recording the call with +1 415-555-2671?")).to_be_visible()
    page.keyboard.press("Enter")  # the first button goes on recording
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(part(page, "record")).to_have_attribute("aria-checked", "true")


def test_space_listens_and_does_not_take_over_buttons(earshot: Earshot, open_tab: Open) -> None:
    page = on_a_call(earshot, open_tab)
    see_status(page, CallStatus.IN_PROGRESS)
    listen = part(page, "listen-toggle")
    for pressed in ("true", "false"):
        page.keyboard.press(" ")
        expect(listen).to_have_attribute("aria-pressed", pressed)
    page.get_by_role("radio", name="Whisper", exact=True).focus()
    page.keyboard.press(" ")
    expect(listen).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".talk")).to_be_visible()  # once somebody has spoken
    page.locator(".talk").focus()
    page.keyboard.press(" ")  # scrolls
    page.keyboard.press("n")  # done after what the space bar could have done
    expect(part(page, "dial-number")).to_be_focused()
    expect(listen).to_have_attribute("aria-pressed", "false")


def test_keys_are_listed_and_do_nothing_beside_an_open_popover(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    expect(page.locator(".keys")).to_be_attached()
    part(page, "settings").click()
    expect(page.locator("#settings")).to_be_visible()
    page.keyboard.press("n")
    expect(part(page, "settings")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    expect(part(page, "dial-number")).to_be_focused()
    page.locator("body").click(position={"x": 2, "y": 2})
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys).to_contain_text("Listen, or stop listening")
    expect(keys).to_contain_text("Ctrl K")
    page.keyboard.press("e")  # nothing behind it
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()


@pytest.mark.parametrize("language", ["en", "de", "es", "fr"])
def test_its_button_shows_all_of_its_words_or_none_and_the_header_fits(earshot: Earshot, open_tab: Open, language: str) -> None:
    page = open_tab(earshot.url, viewport={"width": 1920, "height": 720}, locale=language)
    button = page.locator(".banner > .find")
    words, key = button.locator("span"), button.locator("kbd")
    expect(words).to_be_in_viewport(ratio=1)
    for width in (1440, 1280, 1279, 1101, 1001, 821):
        page.set_viewport_size({"width": width, "height": 720})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width < 1280:
            expect(button).to_be_hidden()
            continue
        expect(key).to_be_in_viewport(ratio=1)
        around, box = button.bounding_box(), words.bounding_box()
        assert around
        assert box
        seen = box["y"] < around["y"] + around["height"]
        assert not seen or around["x"] <= box["x"] <= box["x"] + box["width"] <= around["x"] + around["width"]
