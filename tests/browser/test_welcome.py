"""The page without a call: scenes to try, and the steps to real calls."""

import pytest
from playwright.sync_api import expect

from services.domain.call import CallStatus
from services.settings import CREDENTIALS
from tests.browser.conftest import Earshot, Open, Start
from tests.browser.test_page import part, see_status


def test_a_scene_fills_in_its_number_and_only_call_dials(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    before = len(earshot.calls())
    scenes = part(page, "scenes")
    expect(scenes.get_by_role("button")).to_have_count(6)
    scenes.get_by_role("button", name="Busy").click()
    expect(part(page, "dial-number")).to_have_value("+1 202-555-0101")
    expect(page.locator("#dial-says")).to_contain_text("Calls +1 202-555-0101")
    expect(part(page, "dial-number")).to_be_focused()
    scenes.get_by_role("button", name="No answer").press("Enter")
    expect(part(page, "dial-number")).to_have_value("+1 202-555-0102")
    assert len(earshot.calls()) == before
    scenes.get_by_role("button", name="Busy").click()
    expect(part(page, "dial-number")).to_have_value("+1 202-555-0101")
    part(page, "dial-call").click()
    see_status(page, CallStatus.ENDED)
    expect(scenes).to_be_hidden()
    assert len(earshot.calls()) == before + 1


def test_the_demo_line_says_how_to_go_live(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    page.get_by_text("Steps to real calls").click()
    steps = page.locator(".live-steps")
    for name in CREDENTIALS:
        expect(steps.locator("li", has_text=name)).to_contain_text("Not set")


@pytest.mark.parametrize("given", [{"VAPI_API_KEY": "k"}, {"VAPI_API_KEY": "k", "VAPI_PHONE_NUMBER_ID": "p"}])
def test_with_some_credentials_the_steps_say_which_are_set(earshot_with: Start, open_tab: Open, given: dict[str, str]) -> None:
    page = open_tab(earshot_with(**given).url)
    expect(part(page, "scenes")).to_have_count(0)
    steps = page.locator(".live-steps")
    for name in CREDENTIALS:
        step = steps.locator("li", has_text=name)
        expect(step.locator(".set")).to_have_text("Set" if name in given else "Not set")
    expect(page.get_by_role("heading", name="Try the demo line meanwhile")).to_be_visible()
    expect(page.locator(".command")).to_contain_text("VAPI_API_KEY= VAPI_ASSISTANT_ID= VAPI_PHONE_NUMBER_ID=")


def test_with_all_credentials_nothing_is_offered_for_a_try(earshot_with: Start, open_tab: Open) -> None:
    page = open_tab(earshot_with(VAPI_API_KEY="k", VAPI_ASSISTANT_ID="a", VAPI_PHONE_NUMBER_ID="p", VAPI_BASE_URL="http://127.0.0.1:9").url)
    expect(page.get_by_role("heading", name="Dial a number, hear both sides")).to_be_visible()
    expect(part(page, "scenes")).to_have_count(0)
    expect(page.locator(".live-steps")).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "de", "es", "fr"])
def test_it_fits_a_phone(earshot: Earshot, open_tab: Open, language: str) -> None:
    page = open_tab(earshot.url, viewport={"width": 390, "height": 844}, locale=language)
    page.locator(".go-live summary").click()
    expect(page.locator(".live-steps")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
