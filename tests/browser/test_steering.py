"""Speaking into a call from the page: what is sent, once, what is asked first, and what is said where it can't be done."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from services.demo_line import DemoLine
from services.domain.call import CallStatus
from tests.browser.conftest import Earshot, Line, Open, Start, earshot_process
from tests.browser.lines import account, scripted
from tests.browser.test_page import part, see_status
from tests.process import vapi_environ

NUMBER = "+14155552671"
RINGS_LONG = "+12025550102"


@pytest.fixture(scope="module")
def served(vapi: DemoLine) -> Iterator[Earshot]:
    with earshot_process(**account(vapi), EARSHOT_SIP_HOSTS="example.com") as earshot:
        yield earshot


@pytest.fixture
def earshot(served: Earshot) -> Iterator[Earshot]:
    yield served
    served.end_all()


def place(earshot: Earshot, number: str = NUMBER) -> str:
    """A call to a number that was called a moment ago too."""
    return str(earshot._ask("POST", "/api/vapi_call", {"to": number, "allowDuplicate": True})["id"])


def answered(earshot: Earshot, open_tab: Open, url: str | None = None, **options: bool) -> tuple[Page, str]:
    call_id = place(earshot)
    page = open_tab(f"{url or earshot.url}/?call={call_id}", **options)
    see_status(page, CallStatus.IN_PROGRESS)
    return page, call_id


def choose_way(page: Page, way: str) -> None:
    page.get_by_role("radio", name=way, exact=True).check()


def test_a_whisper_reaches_the_assistant_alone_and_stands_in_the_transcript_where_it_happened(
    earshot: Earshot, vapi: DemoLine, open_tab: Open
) -> None:
    page, call_id = answered(earshot, open_tab)
    transcript = part(page, "transcript")
    expect(transcript.locator(".bubble").first).to_be_visible()
    choose_way(page, "Whisper")
    page.get_by_label("Tell the assistant").fill("Offer Friday.")
    page.keyboard.press("Enter")
    expect(part(page, "timeline")).to_contain_text("Whispered to the assistant Offer Friday.")
    expect(page.get_by_label("Tell the assistant")).to_have_value("")
    (sent,) = vapi.controls(call_id)
    assert sent["message"] == {"role": "system", "content": "Offer Friday."}
    chip = transcript.locator(".action")
    expect(chip).to_contain_text("Whispered to the assistant Offer Friday. Delivered.")
    expect(transcript.locator(".action + .bubble")).to_be_visible()  # somebody speaks after it
    assert transcript.locator(".bubble + .action").count() == 1
    page.reload()
    expect(transcript.locator(".action").first).to_contain_text("Whispered to the assistant Offer Friday. Delivered.")


def test_words_pressed_many_times_are_sent_once_and_the_last_end_the_call(earshot: Earshot, vapi: DemoLine, open_tab: Open) -> None:
    page, call_id = answered(earshot, open_tab)
    page.get_by_label("Have the assistant say").fill("Once.")
    part(page, "say-send").evaluate("button => { for (let k = 0; k < 5; k++) { button.click(); button.form.requestSubmit(); } }")
    expect(part(page, "timeline")).to_contain_text("Once.")
    expect(part(page, "say-send")).to_be_enabled()
    assert len(vapi.controls(call_id)) == 1
    # a held Enter
    for words in ("First.", "Second."):
        page.get_by_label("Have the assistant say").fill(words)
        page.keyboard.down("Enter")
        expect(page.get_by_label("Have the assistant say")).to_have_value("")
        page.get_by_label("Have the assistant say").fill("Not meant.")
        page.keyboard.down("Enter")  # again without an up: the browser's own repetition
        page.keyboard.up("Enter")
    expect(part(page, "timeline")).to_contain_text("Second.")
    assert [sent["content"] for sent in vapi.controls(call_id)] == ["Once.", "First.", "Second."]
    page.get_by_label("Have the assistant say").fill("Goodbye.")
    page.get_by_role("switch", name="Then end the call").check()
    part(page, "say-send").click()
    expect(part(page, "timeline")).to_contain_text("Goodbye.")
    *before, last = vapi.controls(call_id)
    assert last == {"type": "say", "content": "Goodbye.", "endCallAfterSpoken": True}
    assert not any(sent.get("endCallAfterSpoken") for sent in before)


def test_muting_turns_into_unmuting(earshot: Earshot, vapi: DemoLine, open_tab: Open) -> None:
    page, call_id = answered(earshot, open_tab)
    steering = page.get_by_label("Steer the call")
    steering.get_by_role("button", name="Mute assistant", exact=True).click()
    steering.get_by_role("button", name="Unmute assistant").click()
    expect(steering.get_by_role("button", name="Mute assistant", exact=True)).to_be_visible()
    assert [sent["control"] for sent in vapi.controls(call_id)] == ["mute-assistant", "unmute-assistant"]


REFUSED = {
    "911": "Emergency numbers can't be called",
    "+1 900 555 1234": "premium-rate",
    "+1 555 010 0002": "does not look like a number in use",
    "sip:desk@example.org": "Add example.org to EARSHOT_SIP_HOSTS to allow them",
}
"""To whom a transfer may not be, and why."""


def test_a_transfer_is_asked_anew_for_another_number_and_refused_in_words(earshot: Earshot, vapi: DemoLine, open_tab: Open) -> None:
    page, call_id = answered(earshot, open_tab)
    choose_way(page, "Transfer")
    field = page.get_by_label("Number or SIP address")
    field.fill("+49 30 901820")
    page.keyboard.press("Enter")
    expect(part(page, "transfer-confirm")).to_be_visible()
    field.fill("sip:desk@example.com")
    expect(part(page, "transfer-confirm")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Transfer the call to sip:desk@example.com?")).to_be_visible()
    page.keyboard.press("Enter")  # once more is no confirmation
    expect(page.locator(".panel.transfer")).to_have_attribute("aria-busy", "false")
    page.get_by_role("button", name="Cancel").click()
    expect(part(page, "transfer-confirm")).to_be_hidden()
    for to, why in REFUSED.items():
        field.fill(to)
        part(page, "transfer-send").click()
        expect(page.get_by_label("Steer the call").get_by_role("alert").filter(has_text=why)).to_be_visible()
    assert vapi.controls(call_id) == []


def test_what_cannot_be_done_yet_says_why(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(f"{earshot.url}/?call={place(earshot, RINGS_LONG)}")
    expect(page.get_by_text("You can steer the call once somebody answers.")).to_be_visible()
    expect(page.get_by_label("Have the assistant say")).to_be_disabled()
    expect(page.get_by_label("Steer the call").get_by_role("button", name="Mute assistant")).to_be_disabled()
    expect(part(page, "call-end")).to_be_enabled()


def test_words_that_vapi_refuses_stay_in_the_field(earshot_with: Start, open_tab: Open) -> None:
    with scripted() as (vapi, portal):
        earshot = earshot_with(**vapi_environ(vapi.url), EARSHOT_ALLOWED_REGIONS="*")
        call_id = str(earshot.place(NUMBER)["id"])
        portal.call(lambda: vapi.move(call_id, "in-progress", startedAt=vapi.calls[call_id]["createdAt"]))
        vapi.control_status = 400
        page = open_tab(f"{earshot.url}/?call={call_id}")
        see_status(page, CallStatus.IN_PROGRESS)
        page.get_by_label("Have the assistant say").fill("Hello")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Steer the call").get_by_role("alert").filter(visible=True)).to_be_visible()
        expect(part(page, "timeline")).to_contain_text("Refused")
        expect(part(page, "transcript").locator(".action.refused")).to_contain_text("Refused")
        expect(page.get_by_label("Have the assistant say")).to_have_value("Hello")


def test_without_a_connection_nothing_is_sent_then_or_later(earshot: Earshot, vapi: DemoLine, open_tab: Open) -> None:
    line = Line(earshot.url)
    try:
        page, call_id = answered(earshot, open_tab, line.url, faulty=True)
        page.get_by_label("Have the assistant say").fill("Too late")
        line.cut()
        page.wait_for_function("!window.socket.connected")
        page.keyboard.press("Enter")
        expect(page.get_by_text("No connection to Earshot, so nothing was sent.")).to_be_visible()
        line.mend()
        page.wait_for_function("window.socket.connected")
        page.get_by_label("Have the assistant say").fill("In time")
        page.keyboard.press("Enter")
        expect(part(page, "timeline")).to_contain_text("In time", timeout=60_000)
        assert [sent["content"] for sent in vapi.controls(call_id)] == ["In time"]
    finally:
        line.close()
