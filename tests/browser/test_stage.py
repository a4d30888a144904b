"""The call on the stage: what other dials leave alone, what is kept when another call is shown, and how its end looks."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from services.domain.call import CallStatus
from services.domain.phone_number import international
from tests.browser.conftest import Earshot, Open, Quiet, Start
from tests.browser.lines import scripted
from tests.browser.states import NEVER_CALLED_BEFORE
from tests.browser.test_page import dial, part, see_status
from tests.process import vapi_environ

NUMBER, OTHER, BUSY = "+14155552671", "+442079460958", "+12025550101"


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


def listened(earshot: Earshot, open_tab: Open) -> Page:
    """A page with a call that is heard."""
    page = open_tab(f"{earshot.url}/?call={earshot.place(NUMBER)['id']}")
    part(page, "listen-toggle").click()
    heard(page)
    return page


def heard(page: Page) -> None:
    expect(part(page, "player-state")).to_have_attribute("data-state", "playing", timeout=60_000)


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


def test_half_typed_words_are_there_again_when_the_call_is(quiet: Quiet, open_tab: Open) -> None:
    page = open_tab(f"{quiet.url}/?call={quiet.answered(NUMBER)}")
    see_status(page, CallStatus.IN_PROGRESS)
    page.get_by_label("Have the assistant say").fill("One moment, I")
    other = next(NEVER_CALLED_BEFORE)
    dial(page, other)
    expect(page.locator(".who")).to_have_text(international(other))
    expect(page.get_by_label("Have the assistant say")).to_have_value("")
    page.get_by_role("navigation").get_by_role("button", name="+1 415-555-2671", exact=True).click()
    expect(page.locator(".who")).to_have_text("+1 415-555-2671")
    expect(page.get_by_label("Have the assistant say")).to_have_value("One moment, I")


def test_sent_words_are_not_there_again_if_the_call_is_left_before_the_answer(quiet: Quiet, open_tab: Open) -> None:
    first, second = quiet.answered(NUMBER), quiet.answered(OTHER)
    page = open_tab(f"{quiet.url}/?call={first}")
    see_status(page, CallStatus.IN_PROGRESS)
    field = page.get_by_label("Have the assistant say")
    field.fill("Once, please")
    # In one turn, so that the answer can't come in between.
    page.evaluate(
        """call => {
            document.querySelector("[data-testid=say-send]").click();
            document.querySelector(`.row[data-call='${call}']`).click();
        }""",
        second,
    )
    expect(page.locator(".who")).to_have_text("+44 20 7946 0958")
    page.get_by_role("navigation").get_by_role("button", name="+1 415-555-2671", exact=True).click()
    expect(page.locator(".who")).to_have_text("+1 415-555-2671")
    expect(part(page, "timeline")).to_contain_text("Once, please")
    expect(field).to_have_value("")


@pytest.mark.usefixtures("allowed_again")
def test_a_refusal_by_the_stop_switch_goes_when_dialling_is_allowed_again(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    part(page, "dial-number").fill(NUMBER)
    earshot._ask("POST", "/api/dialling/stop")
    refusal = page.locator("#dial-says .problem")
    expect(refusal).to_have_text("All dialling is stopped. You can allow it again at the top of the page.")
    earshot._ask("POST", "/api/dialling/resume")
    expect(refusal).to_be_hidden()
    expect(page.locator("#dial-says .say")).to_contain_text("Calls +1 415-555-2671")


def test_only_a_conversation_ends_in_green(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    for number, tone in ((BUSY, "missed"), (NUMBER, "cancelled")):
        dial(page, number)
        expect(page.locator(".who")).to_have_text(international(number))
        if tone == "cancelled":
            part(page, "call-end").click()
        see_status(page, CallStatus.ENDED)
        expect(page.locator("ol.steps")).to_have_class(f"steps {tone}")
        expect(page.locator(f".outcome .icon-call-{tone}")).to_be_visible()
        expect(part(page, "call-log").locator(".row .dot").first).to_have_class(f"dot ended {tone}")
        green = page.evaluate("getComputedStyle(document.querySelector('.btn.go')).backgroundColor")
        assert page.locator(".steps .done").first.evaluate("item => getComputedStyle(item).borderTopColor") != green, tone


def test_recording_is_red_and_has_a_clock(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(f"{earshot.url}/?call={earshot.place(NUMBER)['id']}")
    see_status(page, CallStatus.IN_PROGRESS)
    switch = part(page, "record")
    expect(switch.locator(".call-clock")).to_be_hidden()
    red = part(page, "call-end").evaluate("button => getComputedStyle(button).backgroundColor")
    switch.click()
    expect(switch.locator(".call-clock")).to_have_text(re.compile(r"^(?!0:00)\d+:\d\d$"))  # however long the page was held up
    assert switch.evaluate("button => getComputedStyle(button).color") == red
    switch.click()
    expect(switch.locator(".call-clock")).to_be_hidden()


def test_a_transfer_that_was_asked_for_here_is_not_put_on_the_assistant(quiet: Quiet, open_tab: Open) -> None:
    call = quiet.answered(NUMBER)
    page = open_tab(f"{quiet.url}/?call={call}")
    see_status(page, CallStatus.IN_PROGRESS)
    page.get_by_role("radio", name="Transfer", exact=True).check()
    page.get_by_label("Number or SIP").fill("+14155552672")
    page.keyboard.press("Enter")
    part(page, "transfer-confirm").click()
    expect(part(page, "timeline")).to_contain_text("Transferred the call to +1 415-555-2672")
    quiet.move(call, "ended", endedReason="assistant-forwarded-call")
    see_status(page, CallStatus.ENDED)
    expect(page.locator(".outcome h3")).to_have_text("The call was transferred from here.")


def test_the_tab_names_the_call_and_its_clock(quiet: Quiet, open_tab: Open) -> None:
    page = open_tab(quiet.url)
    expect(page).to_have_title("Earshot")
    number = next(NEVER_CALLED_BEFORE)
    dial(page, number)
    shown = international(number)
    page.wait_for_function(
        r"(shown) => /^(Answered|Live) 0:\d\d · /.test(document.title) && document.title.endsWith(` · ${shown} · Earshot`)", arg=shown
    )
    part(page, "call-end").click()
    expect(page).to_have_title(f"Ended · {shown} · Earshot")


def test_on_a_phone_what_runs_comes_before_the_dialer(quiet: Quiet, open_tab: Open) -> None:
    page = open_tab(f"{quiet.url}/?call={quiet.answered(NUMBER)}", viewport={"width": 390, "height": 844})
    see_status(page, CallStatus.IN_PROGRESS)
    running = page.locator(".part.running")
    expect(running.get_by_role("button")).to_have_count(1)
    tops = [place.bounding_box() for place in (page.locator(".stage"), running, page.locator(".dialer"), page.locator(".part.past"))]
    heights = [box["y"] for box in tops if box]
    assert len(heights) == 4
    assert heights == sorted(heights)


def test_composer_and_end_call_are_in_sight_and_nothing_covers_what_is_opened_about_the_sound(earshot: Earshot, open_tab: Open) -> None:
    page = listened(earshot, open_tab)
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


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 720), (1440, 900)])
def test_the_head_stays_where_it_is_from_the_dial_to_the_end(earshot: Earshot, open_tab: Open, width: int, height: int) -> None:
    page = open_tab(earshot.url, viewport={"width": width, "height": height})
    page.evaluate(
        """() => {
            window.places = {};
            window.below = () => document.querySelector("[data-testid=transcript]").getBoundingClientRect().top + scrollY;
            new MutationObserver(() => {
                const status = document.querySelector("[data-testid=call-status]");
                const end = document.querySelector("[data-testid=call-end]");
                for (const [name, element] of Object.entries({status, end, who: document.querySelector(".who")})) {
                    if (!element?.checkVisibility()) continue;
                    const {right, left, top} = element.getBoundingClientRect();
                    (window.places[name] ??= []).push(name === "who" ? [left, top] : [right, top]);
                }
                // a busy machine may see no ringing
                if (["queued", "ringing"].includes(status?.dataset.status)) window.whileRinging = window.below();
            }).observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
        }"""
    )
    dial(page, NUMBER)
    see_status(page, CallStatus.IN_PROGRESS)
    heard(page)
    expect(part(page, "measures")).to_contain_text("customer talks")
    assert abs(page.evaluate("window.below() - window.whileRinging")) <= 2
    part(page, "call-end").click()
    see_status(page, CallStatus.ENDED)
    places = page.evaluate("window.places")
    assert places.keys() == {"status", "end", "who"}
    for name, seen in places.items():
        for axis in (0, 1):
            assert max(place[axis] for place in seen) - min(place[axis] for place in seen) <= 2, name


def test_on_a_phone_the_call_that_was_dialled_comes_into_sight(quiet: Quiet, open_tab: Open) -> None:
    quiet.answered(OTHER)
    page = open_tab(quiet.url, viewport={"width": 390, "height": 844})
    expect(page.locator(".who")).to_have_text("+44 20 7946 0958")
    number = next(NEVER_CALLED_BEFORE)
    dial(page, number)
    expect(page.locator(".who")).to_have_text(international(number))
    expect(page.locator(".who")).to_be_in_viewport()
