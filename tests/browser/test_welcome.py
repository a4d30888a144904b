"""The page without a call: scenes to try, and the steps to real calls."""

from collections.abc import Callable, Mapping
from pathlib import Path

from playwright.sync_api import Page, expect

from services.domain.call import CallStatus
from services.settings import CREDENTIALS
from tests.browser.axe import complaints
from tests.browser.conftest import ROOT, Earshot, Open, Start
from tests.browser.lines import demo_line
from tests.browser.states import Bring
from tests.browser.test_logout import PASSWORD
from tests.browser.test_page import part, see_status
from tests.browser.test_restart import COMES_BACK
from tests.process import started
from tests.web.test_tokens import entry


def test_it_says_how_to_go_live_and_a_scene_fills_in_its_number_and_only_call_dials(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    before = len(earshot.calls())
    page.get_by_text("Steps to real calls").click()
    steps = page.locator(".live-steps")
    for name in CREDENTIALS:
        expect(steps.locator("li", has_text=name)).to_contain_text("Not set")
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


def see_what_is_set(page: Page, *given: str) -> None:
    expect(part(page, "scenes")).to_have_count(0)
    steps = page.locator(".live-steps")
    for name in CREDENTIALS:
        step = steps.locator("li", has_text=name)
        expect(step.locator(".set")).to_have_text("Set" if name in given else "Not set")
    expect(page.get_by_role("heading", name="Try the demo line meanwhile")).to_be_visible()
    expect(page.locator(".command")).to_contain_text("VAPI_API_KEY= VAPI_ASSISTANT_ID= VAPI_PHONE_NUMBER_ID=")


ONE_SET: Mapping[str, Bring] = {"missing": lambda page, _: see_what_is_set(page, "VAPI_API_KEY")}
"""A state that axe finds nothing to complain about in; `test_axe.py` has the others."""


def test_with_one_credential_the_steps_say_which_is_set(earshot_with: Start, open_tab: Open) -> None:
    earshot = earshot_with(VAPI_API_KEY="k")
    assert complaints(open_tab(earshot.url, reduced_motion="reduce"), earshot, ONE_SET) == []


def test_with_two_credentials_the_steps_say_which_are_set(earshot_with: Start, open_tab: Open) -> None:
    page = open_tab(earshot_with(VAPI_API_KEY="k", VAPI_PHONE_NUMBER_ID="p").url)
    see_what_is_set(page, "VAPI_API_KEY", "VAPI_PHONE_NUMBER_ID")


def test_somebody_goes_live_on_the_page(open_tab: Open, tmp_path: Path) -> None:
    with (
        demo_line(ring_seconds=0.5) as line,
        started(str(ROOT / "main.py"), cwd=tmp_path, environ={"VAPI_BASE_URL": line.base_url}) as process,
    ):
        process.wait_until_served()
        page = open_tab(process.url, faulty=True)  # the connection is lost and found
        page.get_by_text("Steps to real calls").click()
        part(page, "set-up-here").click()
        part(page, "go-live-key").fill("not-the-key")
        part(page, "go-live-next").click()
        notice = page.locator(".go-live-form").get_by_role("alert")
        expect(notice).to_contain_text("VAPI_API_KEY")
        assert not (tmp_path / ".env").exists()
        part(page, "go-live-key").fill(line.api_key)
        part(page, "go-live-next").click()
        expect(part(page, "go-live-says")).to_contain_text("Vapi accepts the key")
        expect(notice).to_be_hidden()
        part(page, "go-live-assistant").select_option(line.assistant_id)
        part(page, "go-live-number").select_option(line.phone_number_id)
        part(page, "go-live-next").click()
        expect(page.get_by_role("button", name="Live real calls")).to_be_visible(timeout=COMES_BACK)
        page.wait_for_function("window.did_handshake === true")
        part(page, "dial-number").fill("+1 415 555 2671")
        part(page, "dial-call").click()
        see_status(page, CallStatus.IN_PROGRESS)
        part(page, "call-end").click()
        see_status(page, CallStatus.ENDED)
        assert line.api_key not in process.output
        process.stop()


def test_not_where_others_reach_it(earshot_with: Start, tabs: Callable[[str], Page]) -> None:
    reached = {"EARSHOT_ALLOWED_HOSTS": "calls.example", "EARSHOT_PASSWORD": PASSWORD, "EARSHOT_API_TOKENS": entry("boss", "*", "boss")}
    url = earshot_with(**reached).url
    page = tabs(url)
    page.goto(url)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_function("window.did_handshake === true")
    steps_without_a_form(page)


def test_not_over_variables_of_the_environment(open_tab: Open, earshot_with: Start) -> None:
    steps_without_a_form(open_tab(earshot_with(VAPI_API_KEY="").url))


def test_not_through_a_proxy_on_this_machine(earshot: Earshot, open_tab: Open) -> None:
    steps_without_a_form(open_tab(earshot.url, extra_http_headers={"X-Forwarded-For": "203.0.113.7"}))


def steps_without_a_form(page: Page) -> None:
    page.get_by_text("Steps to real calls").click()
    expect(page.locator(".live-steps")).to_be_visible()
    expect(part(page, "set-up-here")).to_have_count(0)
