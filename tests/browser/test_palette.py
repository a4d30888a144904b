"""Keyboard alone: the palette finds and does what the page can do, `?` names the keys, and a key never ends a call by itself."""

from playwright.sync_api import Locator, Page, expect

from services.domain.call import CallStatus
from tests.browser.conftest import Earshot, Open, Quiet
from tests.browser.test_page import part, see_status

NUMBER = "+14155552671"


def palette(page: Page) -> Locator:
    expect(page.locator(".keys")).to_be_attached()  # built once the page is connected
    page.keyboard.press("Control+k")
    expect(part(page, "palette")).to_be_visible()
    return part(page, "palette").get_by_role("option")


def test_all_that_a_page_without_a_call_does_by_keys(earshot: Earshot, open_tab: Open) -> None:
    call = earshot.place("+12025550102")["id"]
    page = open_tab(earshot.url)
    see_keys_listed_that_do_nothing_beside_an_open_popover(page)
    see_arrows_choose_escape_close_and_what_is_not_there_said(page)
    see_calls_assistants_settings_and_numbers_found_and_nothing_dialled(page, earshot, call)


def see_keys_listed_that_do_nothing_beside_an_open_popover(page: Page) -> None:
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


def see_arrows_choose_escape_close_and_what_is_not_there_said(page: Page) -> None:
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


def see_calls_assistants_settings_and_numbers_found_and_nothing_dialled(page: Page, earshot: Earshot, call: str) -> None:
    options = palette(page)
    page.keyboard.type("202 555 0102".replace(" ", "-"))
    expect(options.first).to_contain_text("+1 202-555-0102")
    page.keyboard.press("Enter")
    expect(part(page, "palette")).to_be_hidden()
    expect(page).to_have_url(f"{earshot.url}/?call={call}")
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


def test_all_that_keys_do_to_a_call_and_what_they_ask_before(quiet: Quiet, open_tab: Open) -> None:
    """One page with a call on it, which nobody there listens to, and another call in its list."""
    other, call = quiet.answered("+12025550102"), quiet.answered(NUMBER)
    page = open_tab(f"{quiet.url}/?call={call}")
    expect(page.locator(".keys")).to_be_attached()
    see_status(page, CallStatus.IN_PROGRESS)
    expect(part(page, "call-end")).to_be_enabled()
    leave_fields(page)
    see_a_question_before_it_is_recorded_and_before_that_stops(page)
    see_space_listen_and_not_take_over_buttons(page, quiet, call)
    leave_fields(page)
    see_a_yes_end_only_the_call_that_the_question_named(page, quiet, other)
    page.locator(f".row[data-call='{call}']").click()
    expect(page.locator(".who")).to_have_text("+1 415-555-2671")
    leave_fields(page)
    see_a_question_before_the_call_ends(page, quiet, call)


def leave_fields(page: Page) -> None:
    page.locator("body").click(position={"x": 2, "y": 2})


def see_a_question_before_it_is_recorded_and_before_that_stops(page: Page) -> None:
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


def see_space_listen_and_not_take_over_buttons(page: Page, quiet: Quiet, call: str) -> None:
    listen = part(page, "listen-toggle")
    for pressed in ("true", "false"):
        page.keyboard.press(" ")
        expect(listen).to_have_attribute("aria-pressed", pressed)
    page.get_by_role("radio", name="Whisper", exact=True).focus()
    page.keyboard.press(" ")
    expect(listen).to_have_attribute("aria-pressed", "false")
    quiet.say(call, "assistant", "Hi, this is Riley from Wellness Partners.")
    expect(page.locator(".talk")).to_be_visible()  # once somebody has spoken
    page.locator(".talk").focus()
    page.keyboard.press(" ")  # scrolls
    page.keyboard.press("n")  # done after what the space bar could have done
    expect(part(page, "dial-number")).to_be_focused()
    expect(listen).to_have_attribute("aria-pressed", "false")


def see_a_yes_end_only_the_call_that_the_question_named(page: Page, quiet: Quiet, other: str) -> None:
    page.keyboard.press("e")
    expect(page.get_by_role("dialog", name="End the call with +1 415-555-2671?")).to_be_visible()
    page.locator(f".row[data-call='{other}']").evaluate("row => row.click()")  # the stage changes behind the question
    expect(page).to_have_url(f"{quiet.url}/?call={other}")
    expect(page.locator(".who")).to_have_text("+1 202-555-0102")
    expect(part(page, "call-end")).to_be_attached()
    page.get_by_role("dialog").get_by_role("button", name="End call").click()
    question = page.get_by_role("dialog", name="End the call with +1 202-555-0102?")
    expect(question).to_be_visible()
    assert [call["status"] for call in quiet.calls()[:2]].count("ended") == 0
    question.get_by_role("button", name="End call").click()
    see_status(page, CallStatus.ENDED)


def see_a_question_before_the_call_ends(page: Page, quiet: Quiet, call: str) -> None:
    page.keyboard.press("e")
    question = page.get_by_role("dialog", name="End the call with +1 415-555-2671?")
    expect(question).to_be_visible()
    page.keyboard.press("Enter")  # the first button keeps the call
    expect(question).to_be_hidden()
    expect(part(page, "call-end")).to_be_enabled()
    assert [known["status"] for known in quiet.calls() if known["id"] == call] != ["ended"]
    page.keyboard.press("e")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    see_status(page, CallStatus.ENDED)
