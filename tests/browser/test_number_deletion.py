"""The settings delete everything about one number, after they said how many calls that is."""

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
