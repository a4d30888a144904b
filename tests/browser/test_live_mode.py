"""With credentials the same page calls through Vapi: here a Vapi in another place, which counts what reaches it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from services.demo_line import DemoLine
from services.domain.call import CallStatus
from tests.browser.conftest import Earshot, Open, Start
from tests.browser.lines import account, demo_line
from tests.browser.test_page import NUMBER, PATIENCE, part, see_status


@pytest.fixture
def vapi() -> Iterator[DemoLine]:
    with demo_line(ring_seconds=0.5) as line:
        yield line


@pytest.fixture
def live(vapi: DemoLine, earshot_with: Start) -> Earshot:
    """Earshot with credentials of that Vapi."""
    return earshot_with(**account(vapi))


def test_one_press_is_one_dial_and_end_call_hangs_up(vapi: DemoLine, live: Earshot, open_tab: Open) -> None:
    page = open_tab(live.url)
    expect(page.get_by_role("banner")).to_contain_text("Live")
    part(page, "dial-number").fill(NUMBER)
    part(page, "dial-call").dblclick()
    see_status(page, CallStatus.IN_PROGRESS)
    expect(part(page, "player-state")).to_have_attribute("data-state", "playing", timeout=PATIENCE)
    part(page, "call-end").click()
    see_status(page, CallStatus.ENDED)
    assert vapi.requests.count(("POST", "/call")) == 1
    (call,) = live.calls()
    assert vapi.controls(call["id"]) == [{"type": "end-call"}]
    html = page.content()
    for secret in (vapi.api_key, vapi.public_key, vapi.base_url.removeprefix("http://"), "/control"):
        assert secret not in html


def test_the_customary_example_number_is_no_number_on_a_real_line(vapi: DemoLine, live: Earshot, open_tab: Open) -> None:
    page = open_tab(live.url)
    part(page, "dial-number").fill("+1234567890")
    part(page, "dial-call").click()
    expect(page.get_by_role("alert").filter(has_text="too short")).to_be_visible()
    assert vapi.requests.count(("POST", "/call")) == 0


def test_the_same_number_a_moment_later_takes_a_second_click(vapi: DemoLine, live: Earshot, open_tab: Open) -> None:
    live.place(NUMBER)
    live.end_all()
    page = open_tab(live.url)
    part(page, "dial-number").fill(NUMBER)
    part(page, "dial-call").click()
    see_status(page, CallStatus.IN_PROGRESS)
    part(page, "call-end").click()
    see_status(page, CallStatus.ENDED)
    live.end_all()
    part(page, "dial-call").click()
    expect(part(page, "dial-confirm")).to_be_visible()
    assert vapi.requests.count(("POST", "/call")) == 2
    part(page, "dial-confirm").click()
    see_status(page, CallStatus.IN_PROGRESS)
    assert vapi.requests.count(("POST", "/call")) == 3


def test_a_yes_to_a_recent_call_is_none_to_one_that_is_active_by_now(vapi: DemoLine, live: Earshot, open_tab: Open) -> None:
    page = open_tab(live.url)
    part(page, "dial-number").fill(NUMBER)
    part(page, "dial-call").click()
    see_status(page, CallStatus.IN_PROGRESS)
    live.end_all()
    part(page, "dial-call").click()
    expect(page.get_by_role("alert").filter(has_text="This number was called a moment ago. Call it again?")).to_be_visible()
    live.place(NUMBER)  # by somebody else, while the question is open
    part(page, "dial-confirm").click()
    expect(page.get_by_role("alert").filter(has_text="This number has an active call. Call it again?")).to_be_visible()
    assert vapi.requests.count(("POST", "/call")) == 2
    part(page, "dial-confirm").click()
    see_status(page, CallStatus.IN_PROGRESS)
    assert vapi.requests.count(("POST", "/call")) == 3
