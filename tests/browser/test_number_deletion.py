"""The settings delete everything about one number, after they said how many calls that is."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Earshot, Open
from tests.browser.states import NEVER_CALLED_BEFORE


def test_it_asks_with_the_number_of_calls_and_deletes(earshot: Earshot, open_tab: Open) -> None:
    number = next(NEVER_CALLED_BEFORE)
    page = open_tab(earshot.url)
    earshot.place(number)
    page.get_by_test_id("settings").click()
    panel = page.get_by_test_id("number-deletion")
    panel.locator("summary").click()
    page.get_by_test_id("number-delete-number").fill("415 555")
    page.get_by_test_id("number-delete-look").click()
    expect(panel.get_by_role("alert")).to_contain_text("country code")
    page.get_by_test_id("number-delete-number").fill(number)
    page.get_by_test_id("number-delete-look").click()
    expect(panel.get_by_role("alert")).to_be_hidden()
    page.get_by_test_id("number-delete-yes").click()
    expect(panel.get_by_role("alert")).to_contain_text("End or cancel")
    earshot.end_all()
    page.get_by_test_id("number-delete-look").click()
    expect(page.get_by_test_id("number-delete-found")).to_contain_text("Delete the data of 1 call with")
    page.get_by_test_id("number-delete-yes").click()
    expect(page.get_by_test_id("number-delete-done")).to_contain_text("and the data of 1 call.")
    assert number not in str(earshot.calls())


@pytest.mark.parametrize("language", ["en", "de", "es", "fr"])
def test_it_fits_a_phone_in_every_language(earshot: Earshot, open_tab: Open, language: str) -> None:
    page = open_tab(earshot.url, viewport={"width": 390, "height": 844}, locale=language)
    page.get_by_test_id("settings").click()
    panel = page.get_by_test_id("number-deletion")
    panel.locator("summary").click()
    page.get_by_test_id("number-delete-number").fill("+14155550199")
    page.get_by_test_id("number-delete-look").click()
    expect(page.get_by_test_id("number-delete-found")).to_be_visible()
    assert page.locator("#settings").evaluate("panel => panel.scrollWidth - panel.clientWidth") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
