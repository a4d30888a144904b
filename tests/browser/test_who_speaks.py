"""Who speaks, from the page: what is chosen and filled in is what Vapi is asked for, and a yes holds for no other call."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from services.domain.call import CallStatus
from tests.browser.conftest import Earshot, Open, earshot_process
from tests.browser.lines import scripted
from tests.browser.test_page import part, see_status
from tests.process import vapi_environ
from tests.stand_in import StandIn

NEVER_CALLED_BEFORE = (f"+1415555{tail}" for tail in count(2700))
UNLIKELY = "+1 415 055 2671"
RILEY = {"id": "6d1f0000-0000-4000-8000-000000000001", "name": "Riley"}
SAM = {"id": "6d1f0000-0000-4000-8000-000000000002", "name": "Sam", "firstMessage": "Hi {{name}}, how did the {{ visit }} go?"}
OTHERS = [{"id": f"6d1f0000-0000-4000-8000-0000000001{number:02}", "name": f"Clerk {number:02}"} for number in range(12)]
SQUAD = {"id": "9d1f0000-0000-4000-8000-000000000003", "name": "Front office", "members": [{"assistantId": SAM["id"]}]}


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Earshot, StandIn]]:
    with scripted() as (vapi, _):
        vapi.account |= {"assistant": [RILEY, SAM, *OTHERS], "squad": [SQUAD]}
        environ = {"VAPI_ASSISTANT_ID": RILEY["id"], "EARSHOT_SIP_HOSTS": "pbx.example", "EARSHOT_ALLOWED_REGIONS": "*"}
        with earshot_process(**vapi_environ(vapi.url) | environ | {"EARSHOT_CALLS_PER_HOUR": "100"}) as earshot:
            yield earshot, vapi


@pytest.fixture
def earshot(served: tuple[Earshot, StandIn]) -> Iterator[Earshot]:
    yield served[0]
    served[0].end_all()


@pytest.fixture
def vapi(served: tuple[Earshot, StandIn]) -> StandIn:
    return served[1]


def opened(earshot: Earshot, open_tab: Open, number: str = "") -> Page:
    page = open_tab(earshot.url)
    expect(part(page, "dial-assistant").locator("option", has_text="Sam")).to_have_count(1)
    part(page, "dial-number").fill(number or next(NEVER_CALLED_BEFORE))
    return page


def dial(page: Page, vapi: StandIn) -> dict[str, Any]:
    """Presses Call; what Vapi was asked for."""
    before = vapi.dials
    part(page, "dial-call").click()
    expect(page.locator(".who")).to_be_visible()
    expect(part(page, "dial-call")).to_be_enabled()
    assert vapi.dials == before + 1
    return vapi.bodies[-1]


def test_the_assistants_variables_the_customer_and_the_voicemail_reach_vapi(earshot: Earshot, vapi: StandIn, open_tab: Open) -> None:
    number = next(NEVER_CALLED_BEFORE)
    page = opened(earshot, open_tab, number)
    part(page, "dial-assistant").select_option(label="Sam")
    expect(page.locator(".more summary")).to_contain_text("name, visit")
    page.locator(".more summary").click()
    page.get_by_label("name", exact=True).fill("Dana")
    page.keyboard.press("Enter")
    page.get_by_label("Customer's name").fill("Dana Ng")
    page.get_by_label("If a voicemail answers").select_option(label="Leave a message")
    page.get_by_label("What to say after the tone").fill("Please call back.")
    expect(page.get_by_text("changed for this call")).to_be_visible()
    body = dial(page, vapi)
    assert body["assistantId"] == SAM["id"]
    assert body["customer"] == {"number": number, "name": "Dana Ng"}
    overrides = body["assistantOverrides"]
    assert (overrides["variableValues"], overrides["voicemailMessage"]) == ({"name": "Dana"}, "Please call back.")
    assert "firstMessage" not in overrides
    expect(page.get_by_text("changed for this call")).to_be_hidden()  # they held for one call


def test_a_squad_speaks_and_has_no_first_message(earshot: Earshot, vapi: StandIn, open_tab: Open) -> None:
    page = opened(earshot, open_tab)
    page.locator(".more summary").click()
    page.get_by_label("First message").fill("Hello.")
    part(page, "dial-assistant").select_option(label="Front office")
    expect(page.locator("#dial-says")).to_contain_text("as Front office.")
    expect(page.get_by_label("First message")).to_have_count(0)
    page.get_by_label("visit", exact=True).fill("check-up")
    body = dial(page, vapi)
    overrides = body["squadOverrides"]
    assert (body["squadId"], overrides["variableValues"]) == (SQUAD["id"], {"visit": "check-up"})
    assert not {"assistantId", "assistantOverrides"} & body.keys()
    assert "firstMessage" not in overrides
    expect(page.locator(".whom")).to_contain_text("as Front office")


def test_many_names_can_be_searched_while_enter_dials_nothing_and_a_sip_address_pasted(
    earshot: Earshot, vapi: StandIn, open_tab: Open
) -> None:
    earshot.place(next(NEVER_CALLED_BEFORE))  # without an earlier call there is no search for them
    earshot.end_all()
    page = opened(earshot, open_tab)
    before = vapi.dials
    search = part(page, "dial-assistant-search")
    search.fill("clerk 1")
    expect(page.locator(".picker-found li")).to_have_text(["Clerk 10", "Clerk 11"])
    search.press("Enter")
    expect(page.locator("#dial-says")).to_contain_text("as Clerk 10.")
    expect(part(page, "dial-assistant")).to_be_focused()
    search.fill("front")
    page.get_by_role("button", name="Front office").click()
    expect(page.locator("#dial-says")).to_contain_text("as Front office.")
    search.fill("nobody")
    search.press("Enter")
    expect(page.locator(".picker-found")).to_have_text("No name matches.")
    search.press("Escape")
    expect(page.locator(".picker-found")).to_have_count(0)
    page.locator("body").click(position={"x": 2, "y": 2})
    page.keyboard.press("/")
    expect(page.get_by_label("Search earlier calls")).to_be_focused()  # this key is for the calls, not for the names
    assert vapi.dials == before
    expect(part(page, "dial-caller-id-search")).to_have_count(0)
    see_a_sip_address_pasted_and_called(page, vapi)


def see_a_sip_address_pasted_and_called(page: Page, vapi: StandIn) -> None:
    part(page, "dial-assistant").select_option(label="Riley")
    part(page, "dial-number").fill("sip:de")
    expect(page.get_by_text("Complete the SIP address")).to_be_visible()
    part(page, "dial-number").fill("sip:+14155550177@pbx.example")
    body = dial(page, vapi)
    assert body["customer"] == {"sipUri": "sip:+14155550177@pbx.example"}


def choose_another(page: Page) -> None:
    part(page, "dial-assistant").select_option(label="Sam")


def write_a_first_message(page: Page) -> None:
    page.get_by_label("First message").press_sequentially("H")


def choose_a_voicemail(page: Page) -> None:
    page.get_by_label("If a voicemail answers").select_option(label="Hang up")


def test_a_question_is_withdrawn_once_the_call_is_another_and_a_yes_is_for_the_call_as_it_was_asked(
    earshot: Earshot, vapi: StandIn, open_tab: Open
) -> None:
    page = opened(earshot, open_tab, UNLIKELY)
    page.locator(".more summary").click()
    before = vapi.dials
    part(page, "dial-call").click()
    expect(part(page, "dial-confirm")).to_be_visible()
    for change in (choose_another, write_a_first_message, choose_a_voicemail):
        change(page)
        expect(part(page, "dial-confirm")).to_be_hidden()
        part(page, "dial-call").click()
        expect(part(page, "dial-confirm")).to_be_visible()  # asked anew
        assert vapi.dials == before
    # The server never hears of this before the press: no event is sent. Both at once, since drawing the page anew would undo it.
    part(page, "dial-confirm").evaluate("button => { document.querySelector('#customer-name').value = 'Dana'; button.click(); }")
    expect(part(page, "dial-confirm")).to_be_visible()
    expect(part(page, "dial-call")).to_be_enabled()
    assert vapi.dials == before


def test_an_empty_message_for_a_voicemail_is_refused_and_an_assistant_that_is_gone_said_to_be_gone(
    earshot: Earshot, vapi: StandIn, open_tab: Open
) -> None:
    page = opened(earshot, open_tab)
    before = vapi.dials
    page.locator(".more summary").click()
    page.get_by_label("If a voicemail answers").select_option(label="Leave a message")
    part(page, "dial-call").click()
    expect(page.get_by_role("alert").filter(has_text="Write the message to leave on the voicemail")).to_be_visible()
    assert vapi.dials == before
    page.get_by_label("What to say after the tone").fill("Please call back.")
    part(page, "dial-assistant").select_option(label="Clerk 05")
    expect(page.locator("#dial-says")).to_contain_text("as Clerk 05.")
    vapi.account["assistant"].remove(OTHERS[5])
    vapi.answer = (400, {"message": "Couldn't Get Assistant. It Does Not Exist.", "error": "Bad Request", "statusCode": 400})
    try:
        part(page, "dial-call").click()
        expect(page.get_by_role("alert").filter(has_text="It Does Not Exist")).to_be_visible()
        expect(part(page, "dial-assistant").locator("option:checked")).to_have_text("No longer at Vapi")
    finally:
        vapi.answer = "created"


def test_a_running_call_is_handed_over_muted_and_cut_into(earshot: Earshot, vapi: StandIn, open_tab: Open) -> None:
    call_id = earshot.place(next(NEVER_CALLED_BEFORE))["id"]
    vapi.move(call_id, "in-progress", startedAt=datetime.now(UTC).isoformat())
    page = open_tab(f"{earshot.url}/?call={call_id}")
    see_status(page, CallStatus.IN_PROGRESS)
    steering = page.get_by_label("Steer the call")
    before = len(vapi.controls)
    steering.get_by_role("button", name="Mute customer", exact=True).click()
    expect(steering.get_by_role("button", name="Unmute customer")).to_be_visible()
    expect(steering.get_by_role("button", name="Mute assistant", exact=True)).to_be_visible()
    steering.get_by_label("Have the assistant say").fill("Stop.")
    steering.get_by_role("switch", name="Cut in").check()
    part(page, "say-send").click()
    expect(part(page, "timeline")).to_contain_text("Stop.")
    page.get_by_role("radio", name="Whisper", exact=True).check()
    steering.get_by_label("Tell the assistant").fill("She is a doctor.")
    steering.get_by_role("switch", name="No answer now").check()
    part(page, "whisper-send").click()
    expect(part(page, "timeline")).to_contain_text("She is a doctor.")
    page.get_by_role("radio", name="Hand over", exact=True).check()
    part(page, "handoff-send").click()  # nobody is chosen
    part(page, "handoff-assistant-search").fill("sam")
    page.keyboard.press("Enter")
    part(page, "handoff-send").click()
    expect(part(page, "timeline")).to_contain_text("Handed the call to Sam")
    expect(part(page, "handoff-assistant").locator("option:checked")).to_have_text("Choose an assistant")
    assert vapi.controls[before:] == [
        {"type": "control", "control": "mute-customer"},
        {"type": "say", "content": "Stop.", "endCallAfterSpoken": False, "interruptAssistantEnabled": True},
        {"type": "add-message", "message": {"role": "system", "content": "She is a doctor."}, "triggerResponseEnabled": False},
        {"type": "handoff", "destination": {"type": "assistant", "assistantId": SAM["id"]}},
    ]
