"""With credentials the same page calls through Vapi: here a Vapi in another place, which counts what reaches it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from services.demo_line import DemoLine
from services.domain.call import CallStatus
from services.domain.phone_number import international
from tests.browser.conftest import Earshot, Open, earshot_process
from tests.browser.lines import account, demo_line
from tests.browser.states import NEVER_CALLED_BEFORE
from tests.browser.test_page import NUMBER, PATIENCE, dial, part, see_status


@pytest.fixture(scope="module")
def vapi() -> Iterator[DemoLine]:
    with demo_line(ring_seconds=0.5) as line:
        yield line


@pytest.fixture(scope="module")
def served(vapi: DemoLine) -> Iterator[Earshot]:
    with earshot_process(**account(vapi)) as earshot:
        yield earshot


@pytest.fixture
def live(served: Earshot) -> Iterator[Earshot]:
    """Earshot with credentials of that Vapi. It remembers which numbers were called."""
    yield served
    served.end_all()


def dials(vapi: DemoLine) -> int:
    return vapi.requests.count(("POST", "/call"))


def test_what_reaches_vapi_of_what_is_pressed(vapi: DemoLine, live: Earshot, open_tab: Open) -> None:
    page = open_tab(live.url)
    expect(page.get_by_role("banner")).to_contain_text("Live")
    see_that_the_customary_example_number_is_none_on_a_real_line(page, vapi)
    see_one_press_dial_once_and_end_call_hang_up(page, vapi, live)
    see_the_same_number_a_moment_later_take_a_second_click(page, vapi, live)
    see_a_yes_to_a_recent_call_be_none_to_one_that_is_active_by_now(page, vapi, live)


def see_that_the_customary_example_number_is_none_on_a_real_line(page: Page, vapi: DemoLine) -> None:
    before = dials(vapi)
    part(page, "dial-number").fill("+1234567890")
    part(page, "dial-call").click()
    expect(page.get_by_role("alert").filter(has_text="too short")).to_be_visible()
    assert dials(vapi) == before


def see_one_press_dial_once_and_end_call_hang_up(page: Page, vapi: DemoLine, live: Earshot) -> None:
    before = dials(vapi)
    part(page, "dial-number").fill(NUMBER)
    part(page, "dial-call").dblclick()
    see_status(page, CallStatus.IN_PROGRESS)
    expect(part(page, "player-state")).to_have_attribute("data-state", "playing", timeout=PATIENCE)
    part(page, "call-end").click()
    see_status(page, CallStatus.ENDED)
    assert dials(vapi) == before + 1
    (call,) = (call for call in live.calls() if call["to"] == NUMBER)
    assert vapi.controls(call["id"]) == [{"type": "end-call"}]
    html = page.content()
    for secret in (vapi.api_key, vapi.public_key, vapi.base_url.removeprefix("http://"), "/control"):
        assert secret not in html


def see_the_same_number_a_moment_later_take_a_second_click(page: Page, vapi: DemoLine, live: Earshot) -> None:
    number, before = next(NEVER_CALLED_BEFORE), dials(vapi)
    live.place(number)
    live.end_all()
    dial(page, number)
    see_shown(page, number)
    part(page, "call-end").click()
    see_status(page, CallStatus.ENDED)
    live.end_all()
    part(page, "dial-call").click()
    expect(part(page, "dial-confirm")).to_be_visible()
    assert dials(vapi) == before + 2
    part(page, "dial-confirm").click()
    see_status(page, CallStatus.IN_PROGRESS)
    assert dials(vapi) == before + 3


def see_a_yes_to_a_recent_call_be_none_to_one_that_is_active_by_now(page: Page, vapi: DemoLine, live: Earshot) -> None:
    number, before = next(NEVER_CALLED_BEFORE), dials(vapi)
    dial(page, number)
    see_shown(page, number)
    live.end_all()
    part(page, "dial-call").click()
    expect(page.get_by_role("alert").filter(has_text="This number was called a moment ago. Call it again?")).to_be_visible()
    live.place(number)  # by somebody else, while the question is open
    part(page, "dial-confirm").click()
    expect(page.get_by_role("alert").filter(has_text="This number has an active call. Call it again?")).to_be_visible()
    assert dials(vapi) == before + 2
    part(page, "dial-confirm").click()
    see_status(page, CallStatus.IN_PROGRESS)
    assert dials(vapi) == before + 3


def see_shown(page: Page, number: str) -> None:
    expect(page.locator(".who")).to_have_text(international(number))
    see_status(page, CallStatus.IN_PROGRESS)
