"""What is chosen in the settings is there at once and after a reload; and the keyboard alone gets everywhere."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Earshot, Open
from tests.browser.test_page import see_dialled


def paper(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))


def test_colours_and_language_are_chosen_and_kept(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url, color_scheme="light", locale="en-GB")
    light = paper(page)
    page.get_by_test_id("settings").click()
    page.get_by_label("Dark", exact=True).check()
    dark = paper(page)
    assert dark != light  # whatever the system says
    page.get_by_label("Deutsch").check()
    expect(page.get_by_test_id("dial-call")).to_have_text("Anrufen")
    page.reload()
    assert paper(page) == dark
    expect(page.locator("html")).to_have_attribute("lang", "de")
    assert page.get_by_test_id("dial-call").text_content() == "Anrufen"
    page.get_by_test_id("settings").click()
    expect(page.get_by_label("Dunkel", exact=True)).to_be_checked()
    page.get_by_label("System", exact=True).check()
    assert paper(page) == light


def test_the_keyboard_gets_everywhere_and_nothing_moves_for_those_who_want_it_still(earshot: Earshot, open_tab: Open) -> None:
    earshot.place("+12025550101")
    page = open_tab(earshot.url, reduced_motion="reduce")
    see_the_first_tab_lead_past_the_header(page)
    see_shortcuts_reach_the_fields_and_leave_typing_alone(page)
    page.get_by_test_id("dial-number").fill("+14155552671")
    page.get_by_test_id("dial-call").click()
    see_dialled(page)
    assert page.evaluate("document.getAnimations().filter(animation => animation.playState === 'running').length") == 0


def see_the_first_tab_lead_past_the_header(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the phone number")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("dial-number")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("contacts")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("dial-assistant")).to_be_focused()


def see_shortcuts_reach_the_fields_and_leave_typing_alone(page: Page) -> None:
    expect(page.get_by_test_id("call-log")).to_contain_text("+1 202-555-0101")
    number, search = page.get_by_test_id("dial-number"), page.locator("input[name=search]")
    expect(search).to_be_visible()
    page.locator("body").click(position={"x": 2, "y": 2})
    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.keyboard.type("n/")
    expect(search).to_have_value("n/")
    search.fill("")
    search.blur()
    page.keyboard.press("Control+n")
    expect(number).not_to_be_focused()
    page.keyboard.press("n")
    expect(number).to_be_focused()
    expect(number).to_have_value("")
