"""Logging out in one tab: every other says so, and a login leads back to where it was."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Start

PASSWORD = "correct horse"


def test_an_open_tab_says_that_its_session_is_over_and_leads_back_after_a_login(earshot_with: Start, tabs: Callable[[str], Page]) -> None:
    url = earshot_with(EARSHOT_PASSWORD=PASSWORD).url
    one, other = tabs(url), tabs(url)
    one.goto(url)
    expect(one.get_by_role("alert")).to_be_empty()
    expect(one.get_by_role("status")).to_be_hidden()
    one.get_by_label("Password").fill(PASSWORD)
    one.get_by_role("button", name="Log in").click()
    other.goto(url + "/?to=%2B14155552671")
    other.wait_for_function("window.did_handshake === true")
    one.get_by_test_id("settings").click()
    one.get_by_role("button", name="Log out").click()
    expect(other).to_have_title("Log in – Earshot")
    expect(other.get_by_role("status")).to_have_text("You have been logged out. Active calls continue. Log in to see them again.")
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Log in").click()
    expect(other.get_by_test_id("dial-number")).to_have_value("+1 415-555-2671")
