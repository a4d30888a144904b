"""Deleting a call's data on the page: asked for after a question, and gone from every place of the page."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Earshot, Open
from tests.browser.states import PATIENCE

NUMBER, HEARD = "+14155552699", "+14155552698"  # of no other test


def test_it_is_deleted_only_after_the_question_and_leaves_an_open_page(earshot: Earshot, open_tab: Open) -> None:
    call = earshot.place(NUMBER, name="Dana")["id"]
    earshot._ask("POST", f"/api/calls/{call}/end")
    page = open_tab(f"{earshot.url}/?call={earshot.place(HEARD)['id']}")
    see_what_was_said_and_recorded_leave_the_page(page)
    page.locator(f".row[data-call='{call}']").click()
    expect(page.locator(".stage .who")).to_have_text("+1 415-555-2699")
    see_it_deleted_only_after_the_question(page, earshot, call)


def see_what_was_said_and_recorded_leave_the_page(page: Page) -> None:
    bubbles = page.get_by_test_id("transcript").locator(".bubble")
    expect(bubbles.first).to_be_visible(timeout=PATIENCE)
    page.get_by_test_id("call-end").click()
    page.get_by_test_id("vapi-replay-open").click(timeout=PATIENCE)
    expect(page.get_by_test_id("replay")).to_be_visible(timeout=PATIENCE)
    page.get_by_test_id("delete-data").click()
    page.get_by_test_id("delete-data-yes").click()
    expect(page.get_by_test_id("data-deleted")).to_contain_text("Data deleted here")
    expect(page.get_by_test_id("replay")).to_have_count(0)
    expect(page.get_by_test_id("transcript")).to_be_visible()
    expect(bubbles).to_have_count(0)


def see_it_deleted_only_after_the_question(page: Page, earshot: Earshot, call: str) -> None:
    delete = page.get_by_test_id("delete-data")
    expect(delete).to_be_visible()
    delete.click()
    question = page.get_by_test_id("data-deletion")
    expect(question).to_contain_text("Goes, here and at Vapi")
    expect(question).to_contain_text("Stays: when the call was")
    page.get_by_test_id("delete-data-no").click()
    expect(page.get_by_test_id("delete-data-yes")).to_be_hidden()
    assert earshot._ask("GET", f"/api/calls/{call}")["to"] == NUMBER
    delete.click()
    page.get_by_test_id("delete-data-yes").click()
    expect(page.get_by_test_id("data-deleted")).to_contain_text("Data deleted here and at Vapi, by someone on this page")
    expect(page.locator(".stage .who")).to_have_text("Deleted call")
    expect(page.get_by_role("button", name="Call again")).to_be_hidden()
    expect(page.locator("body")).not_to_contain_text("555-2699")
    expect(page.locator("datalist option[value='+1 415-555-2699']")).to_have_count(0)
    page.reload()
    expect(page.get_by_test_id("data-deleted")).to_be_visible()
    found = earshot._ask("GET", f"/api/calls/{call}")
    assert (found["to"], found["erasure"]["by"]) == (None, "page")
