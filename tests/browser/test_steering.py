"""Speaking into a call from the page: what is sent, once, what is asked first, and what is said where it can't be done."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from anyio.from_thread import BlockingPortal
from playwright.sync_api import Page, expect

from services.domain.call import CallStatus
from tests.browser.conftest import Earshot, Line, Open, earshot_process
from tests.browser.lines import scripted
from tests.browser.test_page import part, see_status
from tests.process import vapi_environ
from tests.stand_in import StandIn

NUMBER, OTHER = "+14155552671", "+442079460958"


class Steered:
    """A call that rings until it is moved on, and what is said in it and sent to it."""

    def __init__(self, earshot: Earshot, vapi: StandIn, portal: BlockingPortal) -> None:
        self.url = earshot.url
        self._vapi, self._portal = vapi, portal
        vapi.controls.clear()
        vapi.controlled.clear()
        earshot.place(OTHER)  # which nothing may be sent to
        self.id = str(earshot.place(NUMBER)["id"])
        self.move("ringing")

    @property
    def sent(self) -> list[dict[str, object]]:
        """Since the last `clear`. Nothing was sent to another call."""
        assert set(self._vapi.controlled) <= {self.id}
        return self._vapi.controls

    def move(self, status: str, **more: object) -> None:
        self._portal.call(lambda: self._vapi.move(self.id, status, **more))

    def answer(self) -> None:
        self.move("in-progress", startedAt=self._vapi.calls[self.id]["createdAt"])

    def say(self, role: str, text: str) -> None:
        self._portal.call(self._vapi.tell, self.id, {"type": "transcript", "role": role, "transcriptType": "final", "transcript": text})

    def refuse(self, status: int) -> None:
        self._vapi.control_status = status


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Earshot, StandIn, BlockingPortal]]:
    with (
        scripted() as (vapi, portal),
        earshot_process(**vapi_environ(vapi.url), EARSHOT_ALLOWED_REGIONS="*", EARSHOT_SIP_HOSTS="example.com") as earshot,
    ):
        yield earshot, vapi, portal


@pytest.fixture
def call(served: tuple[Earshot, StandIn, BlockingPortal]) -> Iterator[Steered]:
    call = Steered(*served)
    yield call
    call.refuse(200)
    served[0].end_all()


def choose_way(page: Page, way: str) -> None:
    page.get_by_role("radio", name=way, exact=True).check()


def test_a_call_is_steered_from_its_answer_to_its_end(call: Steered, open_tab: Open) -> None:
    page = open_tab(f"{call.url}/?call={call.id}")
    see_why_nothing_can_be_done_yet(page)
    call.answer()
    see_status(page, CallStatus.IN_PROGRESS)
    see_a_whisper_reach_the_assistant_alone_and_stand_in_the_transcript_where_it_happened(page, call)
    see_muting_turn_into_unmuting(page, call)
    see_words_that_vapi_refuses_stay_in_the_field(page, call)
    see_a_transfer_asked_anew_for_another_number_and_refused_in_words(page, call)
    see_words_pressed_many_times_sent_once_and_the_last_end_the_call(page, call)


def see_why_nothing_can_be_done_yet(page: Page) -> None:
    expect(page.get_by_text("You can steer the call once somebody answers.")).to_be_visible()
    expect(page.get_by_label("Have the assistant say")).to_be_disabled()
    expect(page.get_by_label("Steer the call").get_by_role("button", name="Mute assistant")).to_be_disabled()
    expect(part(page, "call-end")).to_be_enabled()


def see_a_whisper_reach_the_assistant_alone_and_stand_in_the_transcript_where_it_happened(page: Page, call: Steered) -> None:
    transcript = part(page, "transcript")
    call.say("assistant", "Hi, this is Riley.")
    expect(transcript.locator(".bubble")).to_have_count(1)
    choose_way(page, "Whisper")
    page.get_by_label("Tell the assistant").fill("Offer Friday.")
    page.keyboard.press("Enter")
    expect(part(page, "timeline")).to_contain_text("Whispered to the assistant Offer Friday.")
    expect(page.get_by_label("Tell the assistant")).to_have_value("")
    (sent,) = call.sent
    assert sent["message"] == {"role": "system", "content": "Offer Friday."}
    chip = transcript.locator(".action")
    expect(chip).to_contain_text("Whispered to the assistant Offer Friday. Delivered.")
    call.say("user", "Hello?")
    expect(transcript.locator(".action + .bubble")).to_be_visible()  # somebody speaks after it
    assert transcript.locator(".bubble + .action").count() == 1
    page.reload()
    expect(chip.first).to_contain_text("Whispered to the assistant Offer Friday. Delivered.")
    page.wait_for_function("window.did_handshake === true")


def see_muting_turn_into_unmuting(page: Page, call: Steered) -> None:
    call.sent.clear()
    steering = page.get_by_label("Steer the call")
    steering.get_by_role("button", name="Mute assistant", exact=True).click()
    steering.get_by_role("button", name="Unmute assistant").click()
    expect(steering.get_by_role("button", name="Mute assistant", exact=True)).to_be_visible()
    assert [sent["control"] for sent in call.sent] == ["mute-assistant", "unmute-assistant"]


REFUSED = {
    "911": "Emergency numbers can't be called",
    "+1 900 555 1234": "premium-rate",
    "+1 555 010 0002": "does not look like a number in use",
    "sip:desk@example.org": "Add example.org to EARSHOT_SIP_HOSTS to allow them",
}
"""To whom a transfer may not be, and why."""


def see_a_transfer_asked_anew_for_another_number_and_refused_in_words(page: Page, call: Steered) -> None:
    call.sent.clear()
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
    assert call.sent == []


def see_words_that_vapi_refuses_stay_in_the_field(page: Page, call: Steered) -> None:
    choose_way(page, "Say")
    alert = page.get_by_label("Steer the call").get_by_role("alert").filter(visible=True)
    expect(alert).to_have_count(0)
    call.refuse(400)
    page.get_by_label("Have the assistant say").fill("Hello")
    page.keyboard.press("Enter")
    expect(alert).to_be_visible()
    expect(part(page, "timeline")).to_contain_text("Refused")
    expect(part(page, "transcript").locator(".action.refused")).to_contain_text("Refused")
    expect(page.get_by_label("Have the assistant say")).to_have_value("Hello")
    call.refuse(200)


def see_words_pressed_many_times_sent_once_and_the_last_end_the_call(page: Page, call: Steered) -> None:
    call.sent.clear()
    choose_way(page, "Say")
    page.get_by_label("Have the assistant say").fill("Once.")
    part(page, "say-send").evaluate("button => { for (let k = 0; k < 5; k++) { button.click(); button.form.requestSubmit(); } }")
    expect(part(page, "timeline")).to_contain_text("Once.")
    expect(part(page, "say-send")).to_be_enabled()
    assert len(call.sent) == 1
    # a held Enter
    for words in ("First.", "Second."):
        page.get_by_label("Have the assistant say").fill(words)
        page.keyboard.down("Enter")
        expect(page.get_by_label("Have the assistant say")).to_have_value("")
        page.get_by_label("Have the assistant say").fill("Not meant.")
        page.keyboard.down("Enter")  # again without an up: the browser's own repetition
        page.keyboard.up("Enter")
    expect(part(page, "timeline")).to_contain_text("Second.")
    assert [sent["content"] for sent in call.sent] == ["Once.", "First.", "Second."]
    page.get_by_label("Have the assistant say").fill("Goodbye.")
    page.get_by_role("switch", name="Then end the call").check()
    part(page, "say-send").click()
    expect(part(page, "timeline")).to_contain_text("Goodbye.")
    *before, last = call.sent
    assert last == {"type": "say", "content": "Goodbye.", "endCallAfterSpoken": True}
    assert not any(sent.get("endCallAfterSpoken") for sent in before)


def test_without_a_connection_nothing_is_sent_then_or_later(call: Steered, open_tab: Open) -> None:
    call.answer()
    with closing(Line(call.url)) as line:
        page = open_tab(f"{line.url}/?call={call.id}", faulty=True)
        see_status(page, CallStatus.IN_PROGRESS)
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
        assert [sent["content"] for sent in call.sent] == ["In time"]
