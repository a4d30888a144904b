"""The call on the stage: what other dials leave alone, what is kept when another call is shown, and how its end looks."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from services.domain.call import CallStatus
from services.domain.phone_number import international
from tests.browser.conftest import Earshot, Open, Quiet, Start
from tests.browser.heads import see_as_much_above_as_while_it_rang, see_that_the_head_stayed, watch_head
from tests.browser.lines import scripted
from tests.browser.states import NEVER_CALLED_BEFORE
from tests.browser.test_page import dial, part, see_status
from tests.process import vapi_environ

NUMBER, OTHER, RINGS_LONG = "+14155552671", "+442079460958", "+12025550102"


@pytest.fixture
def allowed_again(earshot: Earshot) -> Iterator[None]:
    """The process is shared with other tests."""
    yield
    earshot._ask("POST", "/api/dialling/resume")


def sizes(page: Page, *all_of_them: tuple[int, int]) -> Iterator[ViewportSize]:
    """Gives the page one size after the other, scrolled to its top, and says which in the report of a test that fails."""
    for width, height in all_of_them:
        size = ViewportSize(width=width, height=height)
        print("In a window of", size)  # noqa: T201 - shown by pytest where a test failed
        page.set_viewport_size(size)
        page.evaluate("scrollTo(0, 0)")
        yield size


def heard(page: Page) -> None:
    expect(part(page, "player-state")).to_have_attribute("data-state", "playing", timeout=60_000)


def send_and_show(page: Page, call: str) -> None:
    """Sends what is typed, and shows this call before the answer can come: both in one turn."""
    page.evaluate(
        """call => {
            document.querySelector("[data-testid=say-send]").click();
            document.querySelector(`.row[data-call='${call}']`).click();
        }""",
        call,
    )


def test_half_typed_words_stay_with_their_call_whose_name_and_clock_are_in_the_title(quiet: Quiet, open_tab: Open) -> None:
    page = open_tab(quiet.url)
    expect(page).to_have_title("Earshot")
    number, other = next(NEVER_CALLED_BEFORE), next(NEVER_CALLED_BEFORE)
    dial(page, number)
    shown = international(number)
    page.wait_for_function(
        r"(shown) => /^(Answered|Live) 0:\d\d · /.test(document.title) && document.title.endsWith(` · ${shown} · Earshot`)", arg=shown
    )
    call = quiet.calls()[0]["id"]

    # What is half typed is there again when the call is.
    field = page.get_by_label("Have the assistant say")
    field.fill("One moment, I")
    dial(page, other)
    expect(page.locator(".who")).to_have_text(international(other))
    expect(field).to_have_value("")
    back = page.get_by_role("navigation").get_by_role("button", name=shown, exact=True)
    back.click()
    expect(page.locator(".who")).to_have_text(shown)
    expect(field).to_have_value("One moment, I")

    # What is sent is not, if the call is left before the answer.
    field.fill("Once, please")
    send_and_show(page, quiet.calls()[0]["id"])
    expect(page.locator(".who")).to_have_text(international(other))
    part(page, "call-end").click()
    expect(page).to_have_title(f"Ended · {international(other)} · Earshot")
    back.click()
    expect(page.locator(".who")).to_have_text(shown)
    expect(part(page, "timeline")).to_contain_text("Once, please")
    expect(field).to_have_value("")

    # A transfer that was asked for here is not put on the assistant.
    page.get_by_role("radio", name="Transfer", exact=True).check()
    page.get_by_label("Number or SIP").fill("+14155552672")
    page.keyboard.press("Enter")
    part(page, "transfer-confirm").click()
    expect(part(page, "timeline")).to_contain_text("Transferred the call to +1 415-555-2672")
    quiet.move(call, "ended", endedReason="assistant-forwarded-call")
    see_status(page, CallStatus.ENDED)
    expect(page.locator(".outcome h3")).to_have_text("The call was transferred from here.")


def test_a_dial_that_vapi_refuses_leaves_the_active_call_on_the_stage(earshot_with: Start, open_tab: Open) -> None:
    with scripted() as (vapi, portal):
        served = earshot_with(**vapi_environ(vapi.url), EARSHOT_ALLOWED_REGIONS="*")
        call_id = str(served.place(NUMBER)["id"])
        portal.call(lambda: vapi.move(call_id, "in-progress", startedAt=vapi.calls[call_id]["createdAt"]))
        page = open_tab(f"{served.url}/?call={call_id}")
        see_status(page, CallStatus.IN_PROGRESS)
        player = part(page, "player-state").element_handle()
        for refusal in ((401, {"message": "Invalid key"}), (400, {"message": "Over Concurrency Limit"})):
            vapi.answer = refusal
            dial(page, OTHER)
            expect(page.locator(".dialer").get_by_role("alert").filter(visible=True)).to_be_visible()
            assert player.is_visible()  # the same element as before, so its sound and waveform go on
            expect(page.locator(".who")).to_have_text("+1 415-555-2671")


def test_on_a_phone_what_runs_comes_before_the_dialer_and_what_was_dialled_comes_into_sight(quiet: Quiet, open_tab: Open) -> None:
    quiet.answered(OTHER)
    page = open_tab(quiet.url, viewport={"width": 390, "height": 844})
    expect(page.locator(".who")).to_have_text("+44 20 7946 0958")
    see_status(page, CallStatus.IN_PROGRESS)
    running = page.locator(".part.running")
    expect(running.get_by_role("button")).to_have_count(1)
    tops = [place.bounding_box() for place in (page.locator(".stage"), running, page.locator(".dialer"), page.locator(".part.past"))]
    heights = [box["y"] for box in tops if box]
    assert len(heights) == 4
    assert heights == sorted(heights)

    number = next(NEVER_CALLED_BEFORE)
    dial(page, number)
    expect(page.locator(".who")).to_have_text(international(number))
    expect(page.locator(".who")).to_be_in_viewport()


@pytest.mark.usefixtures("allowed_again")
def test_a_stop_a_reload_and_a_recording_and_all_controls_in_sight_in_every_size(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    see_a_refusal_go_when_dialling_is_allowed_again(page, earshot)
    dial(page, NUMBER)
    see_status(page, CallStatus.IN_PROGRESS)
    see_a_reload_find_the_call_and_offer_to_listen(page, earshot)
    see_recording_in_red_and_with_a_clock(page)
    see_composer_and_end_call_and_nothing_cover_what_is_opened_about_the_sound(page)


def see_a_refusal_go_when_dialling_is_allowed_again(page: Page, earshot: Earshot) -> None:
    part(page, "dial-number").fill(NUMBER)
    earshot._ask("POST", "/api/dialling/stop")
    refusal = page.locator("#dial-says .problem")
    expect(refusal).to_have_text("All dialling is stopped. You can allow it again at the top of the page.")
    earshot._ask("POST", "/api/dialling/resume")
    expect(refusal).to_be_hidden()
    expect(page.locator("#dial-says .say")).to_contain_text("Calls +1 415-555-2671")


def see_a_reload_find_the_call_and_offer_to_listen(page: Page, earshot: Earshot) -> None:
    expect(page).to_have_url(f"{earshot.url}/?call={earshot.calls()[0]['id']}")
    earshot.place(RINGS_LONG)
    page.reload()
    expect(page.get_by_role("heading", name="+1 415-555-2671")).to_be_visible()  # and not the newer call
    see_status(page, CallStatus.IN_PROGRESS)
    expect(part(page, "listen-toggle")).to_have_text("Listen")
    expect(part(page, "player-state")).to_have_attribute("data-state", "idle")
    part(page, "listen-toggle").click()
    heard(page)


def see_recording_in_red_and_with_a_clock(page: Page) -> None:
    switch = part(page, "record")
    expect(switch.locator(".call-clock")).to_be_hidden()
    red = part(page, "call-end").evaluate("button => getComputedStyle(button).backgroundColor")
    switch.click()
    expect(switch.locator(".call-clock")).to_have_text(re.compile(r"^(?!0:00)\d+:\d\d$"))  # however long the page was held up
    assert switch.evaluate("button => getComputedStyle(button).color") == red
    switch.click()
    expect(switch.locator(".call-clock")).to_be_hidden()


def see_composer_and_end_call_and_nothing_cover_what_is_opened_about_the_sound(page: Page) -> None:
    for _ in sizes(page, (1280, 720), (1440, 900), (1920, 1080)):
        for control in ("say-send", "call-end", "listen-toggle"):
            expect(part(page, control)).to_be_in_viewport(ratio=1)
    page.get_by_text("About the sound").click()
    controls = page.locator(".player-details").locator("button, select, input")
    expect(controls.first).to_be_visible()
    for _ in sizes(page, (390, 844), (1280, 720), (1366, 682), (1920, 1080)):
        for each in controls.all():
            each.click(trial=True)  # fails if another element would get the press, wherever the page is scrolled to
    page.get_by_text("About the sound").click()
    page.get_by_role("radio", name="Transfer", exact=True).check()
    page.get_by_label("Number or SIP").fill("+14155552672")
    page.keyboard.press("Enter")
    for _ in sizes(page, (1280, 720), (1440, 900), (1920, 1080)):
        expect(part(page, "transfer-confirm")).to_be_in_viewport(ratio=1)
        expect(part(page, "call-end")).to_be_in_viewport(ratio=1)


def test_the_head_stays_where_it_is_from_the_dial_to_the_end(earshot: Earshot, open_tab: Open) -> None:
    """In another size it is watched by the test of a call from the press to its end."""
    page = open_tab(earshot.url)
    for _ in sizes(page, (390, 844), (1440, 900)):
        watch_head(page)
        dial(page, NUMBER)
        see_status(page, CallStatus.IN_PROGRESS)
        heard(page)
        see_as_much_above_as_while_it_rang(page)
        part(page, "call-end").click()
        see_status(page, CallStatus.ENDED)
        see_that_the_head_stayed(page)
