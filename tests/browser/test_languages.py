"""The page speaks the language that its browser asks for, also in what it says later on its own."""

from playwright.sync_api import expect

from tests.browser.conftest import Earshot, Open

BUSY = "+12025550101"


def test_two_browsers_are_told_of_one_call_each_in_its_own_language(earshot: Earshot, open_tab: Open) -> None:
    german, english = open_tab(earshot.url, locale="de-DE"), open_tab(earshot.url, locale="en-GB")
    expect(german.locator("html")).to_have_attribute("lang", "de")
    expect(english.locator("html")).to_have_attribute("lang", "en-US")
    expect(german.get_by_test_id("dial-call")).to_have_text("Anrufen")
    expect(english.get_by_test_id("dial-call")).to_have_text("Call")
    german.get_by_test_id("dial-number").fill("+49 30 901820")
    expect(german.get_by_test_id("dial-number").locator("xpath=ancestor::section")).to_contain_text("Deutschland")
    earshot.place(BUSY)  # from elsewhere: no page pressed anything
    expect(german.get_by_test_id("call-log")).to_contain_text("Die Leitung war besetzt.", timeout=20_000)
    expect(english.get_by_test_id("call-log")).to_contain_text("The line was busy.", timeout=20_000)


def test_a_refusal_is_told_in_german(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url, locale="de-AT")
    page.get_by_test_id("dial-number").fill("112")
    page.get_by_test_id("dial-call").click()
    expect(page.get_by_role("alert").filter(has_text="Nehmen Sie im Notfall ein Telefon")).to_be_visible()
