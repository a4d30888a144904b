"""The brake in the header: one press stops all dialling on every page, two presses end all calls, a double click ends none."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Earshot, Open
from tests.browser.test_page import dial

NUMBER = "+14155552683"


@pytest.fixture(autouse=True)
def allowed_again(earshot: Earshot) -> Iterator[None]:
    """The process is shared with other tests."""
    yield
    earshot._ask("POST", "/api/dialling/resume")


def test_one_press_stops_all_dialling_for_every_page_and_two_end_all_calls(earshot: Earshot, open_tab: Open) -> None:
    one, other = open_tab(earshot.url), open_tab(earshot.url)
    see_one_press_stop_all_dialling_for_both(one, other, earshot)
    see_a_number_with_a_running_call_asked_about_on_the_demo_line_too(other)
    one.keyboard.press("Escape")  # closes the panel
    see_all_calls_ended_by_two_presses(one, earshot)


def see_one_press_stop_all_dialling_for_both(one: Page, other: Page, earshot: Earshot) -> None:
    before = earshot.calls()
    expect(one.locator(".notice.stopped")).to_be_hidden()
    one.get_by_test_id("safety").click()
    one.get_by_test_id("dialling-stop").click()
    for page in (one, other):
        expect(page.locator(".notice.stopped")).to_contain_text("Stopped by someone on this page")
        expect(page.get_by_test_id("safety")).to_contain_text("Dialling stopped")
    other.get_by_test_id("dial-number").fill(NUMBER)
    other.get_by_test_id("dial-call").click()
    expect(other.locator("body")).to_contain_text("All dialling is stopped.")
    assert earshot.calls() == before
    one.get_by_test_id("dialling-resume").click()
    expect(other.locator(".notice.stopped")).to_be_hidden()
    other.get_by_test_id("dial-call").click()
    expect(other.get_by_test_id("call-end")).to_be_visible()


def see_a_number_with_a_running_call_asked_about_on_the_demo_line_too(page: Page) -> None:
    dial(page, NUMBER)
    expect(page.locator(".problem")).to_contain_text("This number has an active call")
    expect(page.get_by_test_id("call-end")).to_be_visible()  # the call on the stage stays there
    page.get_by_test_id("dial-confirm").click()
    expect(page.locator(".running .count")).to_have_text("2")


def see_all_calls_ended_by_two_presses(page: Page, earshot: Earshot) -> None:
    page.get_by_test_id("safety").click()
    button = page.get_by_test_id("end-all")
    expect(button).to_have_text("End all 2 active calls")
    button.dblclick()
    expect(button).to_have_text("Press again to end all 2")
    page.keyboard.press("Escape")
    page.get_by_test_id("safety").click()
    expect(button).to_have_text("End all 2 active calls")
    assert sum(call["status"] != "ended" for call in earshot.calls()) == 2
    button.click()
    expect(button).to_have_text("Press again to end all 2")
    page.wait_for_timeout(600)  # longer than a double click: the second press is meant
    button.click()
    expect(button).to_have_text("End all calls")
    expect(page.locator(".notice.stopped")).to_be_visible()  # it stops dialling first
    expect(page.locator(".safety .done")).to_have_text("2 calls have ended.")
    assert {call["status"] for call in earshot.calls() if call["to"] == NUMBER} == {"ended"}
    page.get_by_test_id("dialling-resume").click()
    expect(page.locator(".notice.stopped")).to_be_hidden()


def test_a_scheduled_call_is_listed_apart_cancelled_and_moved_in_the_readers_own_time(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url, timezone_id="Asia/Tokyo")  # nine hours ahead, all year
    see_a_scheduled_call_listed_apart_and_cancelled(page, earshot)
    see_a_scheduled_call_moved(page, earshot)


def see_a_scheduled_call_listed_apart_and_cancelled(page: Page, earshot: Earshot) -> None:
    call = earshot.place(NUMBER, earliestAt=(datetime.now(UTC) + timedelta(days=2)).isoformat())
    row = page.get_by_test_id("scheduled-calls").locator(f"[data-call='{call['id']}']")
    row.click()
    expect(page.get_by_test_id("call-status")).to_have_attribute("data-status", "scheduled")
    page.get_by_test_id("call-cancel").click()
    expect(page.get_by_test_id("call-status")).to_have_attribute("data-status", "ended")
    expect(page.get_by_test_id("scheduled-calls")).to_be_hidden()
    [ended] = [known for known in earshot.calls() if known["id"] == call["id"]]
    assert ended["endedReason"]["code"] == "earshot-cancelled"


def see_a_scheduled_call_moved(page: Page, earshot: Earshot) -> None:
    call = earshot.place(NUMBER, earliestAt=(datetime.now(UTC) + timedelta(days=2)).isoformat(), name="Lead 42")
    page.get_by_test_id("scheduled-calls").locator(f"[data-call='{call['id']}']").click()
    expect(page).to_have_url(f"{earshot.url}/?call={call['id']}")
    page.get_by_text("Change the time").click()
    day = (datetime.now(UTC) + timedelta(days=3)).date()
    expect(page.get_by_test_id("move-earliest")).not_to_have_value("")
    page.get_by_test_id("move-earliest").fill(f"{day}T15:00")
    page.get_by_test_id("move-latest").fill(f"{day}T16:30")
    page.get_by_test_id("move-call").click()
    expect(page).not_to_have_url(re.compile(call["id"]))
    expect(page.get_by_test_id("call-status")).to_have_attribute("data-status", "scheduled")
    expect(page.locator(".stage")).to_contain_text("at the latest")
    [moved] = [known for known in earshot.calls() if known["status"] == "scheduled"]
    assert (moved["earliestAt"], moved["latestAt"]) == (f"{day}T06:00:00.000Z", f"{day}T07:30:00.000Z")
    assert moved["to"] == NUMBER
    [old] = [known for known in earshot.calls() if known["id"] == call["id"]]
    assert old["endedReason"]["code"] == "earshot-cancelled"
