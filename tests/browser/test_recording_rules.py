"""The owner's rules on recording, on the page: they are set in the panel of the stop switch, and asked about before a dial."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, Quiet, quiet_process

BERLIN, MUNICH, NEW_YORK = "+4930901820", "+498912345678", "+12125550100"


@pytest.fixture
def earshot() -> Iterator[Quiet]:
    """One of its own: rules stay."""
    with quiet_process(EARSHOT_RECORD="on") as served:
        yield served


def open_rules(page: Page) -> None:
    page.get_by_test_id("safety").click()
    page.get_by_test_id("recording-rules").locator("summary").click()


def dial(page: Page, number: str) -> None:
    page.get_by_test_id("dial-number").fill(number)
    page.get_by_test_id("dial-call").click()


def test_a_call_is_recorded_only_if_that_is_agreed_or_never(earshot: Quiet, open_tab: Open) -> None:
    page, other = open_tab(earshot.url), open_tab(earshot.url)
    see_a_call_recorded_only_if_that_is_agreed(page, other, earshot)
    see_a_call_that_may_not_be_recorded_say_so(page)


def see_a_call_recorded_only_if_that_is_agreed(page: Page, other: Page, earshot: Quiet) -> None:
    for each in (page, other):
        open_rules(each)
    page.get_by_test_id("recording-region").select_option("DE")
    page.get_by_test_id("recording-mode").select_option("ask")
    page.get_by_test_id("recording-add").click()
    expect(other.get_by_test_id("recording-rules").get_by_role("listitem").first).to_contain_text("Germany")
    other.get_by_test_id("sentence-de").fill("Wir nehmen auf.")
    other.get_by_test_id("sentence-de").blur()
    page.keyboard.press("Escape")
    dial(page, BERLIN)
    expect(page.locator("#dial-says")).to_contain_text("Was it agreed that this call may be recorded?")
    assert earshot.calls() == []
    expect(page.get_by_test_id("dial-confirm")).to_have_text("Agreed, call")
    page.get_by_test_id("dial-unrecorded").click()
    expect(page.get_by_test_id("call-end")).to_be_visible()
    [call] = earshot.calls()
    assert call["recordingConsent"] == "not-agreed"
    expect(page.locator(".stage")).to_contain_text("It was not agreed to record this call.")
    record = page.get_by_test_id("record")
    record.click()
    expect(record).to_have_text("Everybody agreed: record")
    expect(record).to_have_attribute("aria-checked", "false")
    page.wait_for_timeout(600)  # longer than a double click: the second press is meant
    record.click()
    expect(record).to_have_attribute("aria-checked", "true")
    assert earshot._ask("GET", "/api/dialling/recording")["sentences"]["de"] == "Wir nehmen auf."
    earshot.end_all()
    dial(page, MUNICH)
    page.get_by_test_id("dial-confirm").click()
    expect(page.get_by_test_id("call-end")).to_be_visible()
    assert [call["recordingConsent"] for call in earshot.calls()] == ["agreed", "not-agreed"]
    other.get_by_role("button", name="Remove the rule for Germany").click()
    expect(other.get_by_test_id("recording-rules").get_by_role("listitem")).to_have_count(1)


def see_a_call_that_may_not_be_recorded_say_so(page: Page) -> None:
    page.get_by_test_id("safety").click()
    page.get_by_test_id("recording-default").select_option("off")
    page.keyboard.press("Escape")
    dial(page, NEW_YORK)
    expect(page.locator(".who")).to_have_text("+1 212-555-0100")
    expect(page.get_by_test_id("call-end")).to_be_visible()
    expect(page.get_by_test_id("record")).to_be_disabled()
    expect(page.locator(".stage")).to_contain_text("Calls to this country are never recorded here.")
    expect(page.get_by_test_id("call-status")).to_have_attribute("data-status", "in-progress")
    expect(page.get_by_test_id("record")).to_have_attribute("aria-checked", "false")
