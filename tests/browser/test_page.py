"""The page as people use it, on the demo line: dial, hear, hang up, and all that must not dial."""

import re
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from services.domain.call import CallStatus
from services.domain.phone_number import international
from tests.browser.conftest import Earshot, Line, Open, Quiet, Start, earshot_process
from tests.browser.heads import see_as_much_above_as_while_it_rang, see_that_the_head_stayed, watch_head
from tests.browser.states import NEVER_CALLED_BEFORE
from tests.patience import HANG_S
from tests.process import MAIN, vapi_environ

NUMBER, OTHER = "+14155552671", "+442079460958"
BUSY, RINGS_LONG, ANSWER_LOST = "+12025550101", "+12025550102", "+12025550106"
NOWHERE = "http://127.0.0.1:9"
PLACED = re.compile("Queued|Ringing|Answered")
PATIENCE = 60_000  # ms: the machine may be busy
PLACES_SLOWLY = f"""
import asyncio, runpy
from services.desk.desk import CallDesk

place = CallDesk.place

async def place_slowly(desk, *arguments, **more):
    placed = await place(desk, *arguments, **more)
    while desk.get(placed.call.id).status != "in-progress":
        await asyncio.sleep(0.01)
    return placed

CallDesk.place = place_slowly
runpy.run_path({MAIN!r}, run_name="__main__")
"""


def part(page: Page, name: str) -> Locator:
    return page.get_by_test_id(name)


def see_status(page: Page, status: CallStatus) -> None:
    expect(part(page, "call-status")).to_have_attribute("data-status", status.value, timeout=PATIENCE)


def see_dialled(page: Page) -> None:
    """The call is placed. It rings for 3 s, which a page on a busy machine may not see in time."""
    placed = re.compile("^(queued|ringing|in-progress)$")
    expect(part(page, "call-status")).to_have_attribute("data-status", placed, timeout=PATIENCE)


def until(true: Callable[[], object]) -> None:
    give_up = time.monotonic() + HANG_S
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.1)


def dial(page: Page, number: str = NUMBER) -> None:
    part(page, "dial-number").fill(number)
    part(page, "dial-call").click()


def test_a_call_from_the_press_to_its_end(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    before = len(earshot.calls())
    watch_head(page)
    page.evaluate(
        """() => {
            window.seen = [];
            const note = () => {
                const status = document.querySelector("[data-testid=call-status]")?.dataset.status;
                if (status && seen.at(-1) !== status) seen.push(status);
            };
            new MutationObserver(note).observe(document.body, {subtree: true, childList: true, attributes: true});
        }"""
    )
    part(page, "dial-number").press_sequentially(NUMBER)
    expect(part(page, "dial-number")).to_have_value("+1 415-555-2671")
    expect(page.get_by_label("Dial", exact=True)).to_contain_text("United States")
    expect(page.get_by_label("Dial", exact=True)).to_contain_text("Calls +1 415-555-2671 (United States) from Main line as Riley.")
    part(page, "dial-call").click()
    see_status(page, CallStatus.IN_PROGRESS)
    seen = page.evaluate("seen")
    assert seen == [step for step in ("dialling", "queued", "ringing", "in-progress") if step in seen]  # in this order, and none again
    assert (seen[0], seen[-1]) == ("dialling", "in-progress")  # a busy machine may read the call too late to see those between
    expect(part(page, "player-state")).to_have_attribute("data-state", "playing", timeout=PATIENCE)
    expect(page.get_by_role("timer").first).to_have_text(re.compile(r"0:(0[1-9]|[1-5]\d)"), timeout=PATIENCE)
    expect(part(page, "call-log")).to_contain_text("Active")
    see_as_much_above_as_while_it_rang(page)

    # Listening stops and starts with the button.
    toggle = part(page, "listen-toggle")
    expect(toggle).to_have_text("Stop listening")
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "false")
    expect(part(page, "player-state")).to_have_attribute("data-state", "stopped")
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "true")
    expect(part(page, "player-state")).to_have_attribute("data-state", "playing", timeout=PATIENCE)

    part(page, "call-end").click()
    see_status(page, CallStatus.ENDED)
    see_that_the_head_stayed(page)
    expect(page.get_by_label("Call", exact=True)).to_contain_text("You ended the call.")
    expect(page.get_by_label("Call", exact=True)).to_contain_text("Cost", timeout=PATIENCE)
    expect(part(page, "call-end")).to_be_hidden()
    expect(part(page, "call-log")).to_contain_text("Earlier")
    assert len(earshot.calls()) == before + 1

    part(page, "dial-number").fill("")
    page.get_by_role("button", name="Call again").click()
    expect(part(page, "dial-number")).to_have_value("+1 415-555-2671")
    assert len(earshot.calls()) == before + 1


def test_calls_that_nobody_answers(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(f"{earshot.url}/?call=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    alert = page.get_by_role("alert").filter(has_text="No such call")  # which is what an address of no call says
    expect(alert).to_be_visible()
    expect(alert).to_contain_text("Calls on the demo line end when Earshot stops.")

    dial(page, BUSY)
    see_status(page, CallStatus.ENDED)
    expect(page.get_by_label("Call", exact=True)).to_contain_text("busy")
    expect(part(page, "call-log").get_by_role("button").first).to_contain_text("busy")
    expect(page.locator(".steps .todo")).to_have_text("Answered")
    see_no_green_end(page, "missed")

    dial(page, RINGS_LONG)
    see_status(page, CallStatus.RINGING)
    see_what_a_screen_reader_needs(page)
    part(page, "call-end").click()
    see_status(page, CallStatus.ENDED)
    see_no_green_end(page, "cancelled")

    # Its answer is lost: it is found, and not dialled again, also when the tab is closed meanwhile.
    before = len(earshot.calls())
    dial(page, ANSWER_LOST)
    see_dialled(page)
    assert len(earshot.calls()) == before + 1
    earshot.end_all()
    see_status(page, CallStatus.ENDED)
    dial(page, ANSWER_LOST)
    expect(part(page, "call-status")).to_have_attribute("data-status", "dialling")
    page.close()
    until(lambda: len(earshot.calls()) == before + 2 and earshot.calls()[0]["status"] in ("queued", "ringing", "in-progress"))
    assert earshot.calls()[0]["to"] == ANSWER_LOST


def see_no_green_end(page: Page, tone: str) -> None:
    """Only a conversation ends in green."""
    expect(page.locator("ol.steps")).to_have_class(f"steps {tone}")
    expect(page.locator(f".outcome .icon-call-{tone}")).to_be_visible()
    expect(part(page, "call-log").locator(".row .dot").first).to_have_class(f"dot ended {tone}")
    green = page.evaluate("getComputedStyle(document.querySelector('.btn.go')).backgroundColor")
    assert page.locator(".steps .done").first.evaluate("item => getComputedStyle(item).borderTopColor") != green, tone


def see_what_a_screen_reader_needs(page: Page) -> None:
    assert page.locator("html").get_attribute("lang") == "en-US"
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("banner")).to_have_count(1)
    expect(page.get_by_role("combobox", name="Phone number")).to_have_count(1)
    expect(page.get_by_role("status").filter(has_text="Ringing")).to_have_attribute("aria-live", "polite")
    assert (
        page.locator("button, input").evaluate_all(
            "all => all.filter(e => !(e.textContent.trim() || e.ariaLabel || e.labels?.length)).map(e => e.outerHTML)"
        )
        == []
    )


def test_an_address_or_a_wrong_number_dials_nothing_and_repeated_presses_dial_once(earshot: Earshot, open_tab: Open) -> None:
    before = earshot.calls()
    page = open_tab(f"{earshot.url}/?to=%2B14155552671")
    expect(part(page, "dial-number")).to_have_value("+1 415-555-2671")
    expect(page.get_by_label("Dial", exact=True)).to_contain_text("Calls +1 415-555-2671")
    expect(part(page, "call-status")).to_have_count(0)
    assert earshot.calls() == before

    see_digits_grouped_and_none_lost_however_fast_they_come(page)
    see_no_complaint_while_a_number_is_still_being_typed(page)
    see_no_wrong_number_dialled(page, earshot)
    see_an_unlikely_number_take_a_second_press(page, earshot)
    see_a_held_enter_and_a_double_press_place_one_call_each(page, earshot)


def see_digits_grouped_and_none_lost_however_fast_they_come(page: Page) -> None:
    field = part(page, "dial-number")
    for _ in range(3):
        field.fill("")
        field.press_sequentially("+442079460958", delay=0)
        expect(field).to_have_value("+44 20 7946 0958")
    for _ in range(4):
        page.keyboard.press("Backspace")
    expect(field).to_have_value("+44 20 7946")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.insert_text("1")
    expect(field).to_have_value("+144 20 7946")  # in the middle nothing is moved under the caret
    assert field.evaluate("field => field.selectionStart") == 2


def see_no_complaint_while_a_number_is_still_being_typed(page: Page) -> None:
    part(page, "dial-number").fill("")
    part(page, "dial-number").press_sequentially("+1 415 555")
    expect(part(page, "dial-number")).to_have_value("+1 415-555")
    expect(page.get_by_role("alert").filter(visible=True)).to_have_count(0)
    page.keyboard.press("Tab")
    expect(page.get_by_role("alert").filter(has_text="too short")).to_be_visible()


def see_no_wrong_number_dialled(page: Page, earshot: Earshot) -> None:
    before = earshot.calls()
    complaint = page.get_by_role("alert").filter(visible=True)
    for number, sentence in (
        ("", "Type a phone number"),
        ("hello", "Start the number with +"),
        ("+1 415 555", "too short"),
        ("+1 415 555 2671 26", "too long"),
        ("5555552671", "Start the number with +"),
        ("911", "Emergency numbers can't be called"),
        ("+1 900 555 1234", "premium-rate"),
        ("+1 415 555 2671 ext. 12", "Leave out the extension"),
        ("<script>alert(1)</script>", "in digits"),
    ):
        part(page, "dial-number").fill("+1")
        expect(complaint).to_have_count(0)  # of the number before
        expect(part(page, "dial-number")).not_to_have_attribute("aria-invalid", "true")
        dial(page, number)
        expect(complaint, f"after {number!r}").to_contain_text(sentence)
        expect(part(page, "dial-number"), f"after {number!r}").to_have_attribute("aria-invalid", "true")
        expect(part(page, "dial-call"), f"after {number!r}").to_be_enabled()
        assert earshot.calls() == before, number


def see_an_unlikely_number_take_a_second_press(page: Page, earshot: Earshot) -> None:
    before = len(earshot.calls())
    expect(part(page, "dial-confirm")).to_be_hidden()
    dial(page, "+1 415 055 2671")
    expect(page.get_by_role("alert").filter(has_text="does not look like a number in use")).to_be_visible()
    assert len(earshot.calls()) == before
    part(page, "dial-confirm").click()
    see_dialled(page)
    expect(part(page, "dial-confirm")).to_be_hidden()
    assert len(earshot.calls()) == before + 1


def see_a_held_enter_and_a_double_press_place_one_call_each(page: Page, earshot: Earshot) -> None:
    earshot.end_all()
    see_status(page, CallStatus.ENDED)
    before = len(earshot.calls())
    expect(part(page, "dial-call")).to_be_enabled()  # some time after the press before
    part(page, "dial-number").fill(NUMBER)
    page.evaluate("window.submits = 0; document.addEventListener('submit', () => window.submits++, true)")
    ready = "document.activeElement.matches('[data-testid=dial-number]') && !document.querySelector('fieldset:disabled')"

    def held_until_it_takes_presses_again() -> bool:
        page.keyboard.down("Enter")  # without an up: the browser's own repetition
        return bool(page.evaluate(f"window.submits > 0 && {ready}"))

    until(held_until_it_takes_presses_again)
    page.keyboard.down("Enter")  # and this is none
    page.keyboard.up("Enter")
    see_dialled(page)
    assert page.evaluate("window.submits") == 1
    assert len(earshot.calls()) == before + 1

    earshot.end_all()
    see_status(page, CallStatus.ENDED)
    before = len(earshot.calls())
    part(page, "dial-number").fill(NUMBER)
    button = part(page, "dial-call")
    button.evaluate(
        """button => button.addEventListener("click", () => setTimeout(() => {
            window.tookPresses = !button.matches(":disabled");
            for (let k = 0; k < 5; k++) { button.click(); button.form.requestSubmit(); }
        }, 1000), {once: true})"""  # there: a busy machine may bring a message too late for a double press
    )
    button.dblclick(delay=40)
    see_dialled(page)
    page.wait_for_function("window.tookPresses === false")
    expect(button).to_be_enabled()
    assert len(earshot.calls()) == before + 1


def about_to_call(page: Page) -> None:
    """The page has said whom it would call."""
    part(page, "dial-number").fill(NUMBER)
    expect(page.get_by_label("Dial", exact=True)).to_contain_text("Calls +1 415-555-2671")


def test_a_press_that_arrives_late_or_has_no_connection_dials_nothing(earshot: Earshot, line: Line, open_tab: Open) -> None:
    before = earshot.calls()
    page = open_tab(line.url, faulty=True)
    complaint = page.get_by_role("alert").filter(has_text="nothing was dialled")
    about_to_call(page)
    line.hold()
    part(page, "dial-call").click()
    page.wait_for_timeout(3500)
    line.release()
    expect(complaint).to_be_visible(timeout=PATIENCE)
    assert earshot.calls() == before

    complaint.get_by_role("button", name="Dismiss").click()
    expect(complaint).to_be_hidden()
    about_to_call(page)
    line.cut()
    page.wait_for_function("!window.socket.connected")
    part(page, "dial-call").click()
    expect(complaint).to_be_visible()
    expect(part(page, "offline")).to_contain_text("No connection to Earshot", timeout=PATIENCE)
    line.mend()
    page.wait_for_function("window.socket.connected")
    expect(part(page, "offline")).to_be_hidden(timeout=PATIENCE)
    part(page, "dial-number").fill("+1 415")  # heard after whatever was held back would have been
    expect(part(page, "dial-number")).to_have_value("+1 415")
    expect(page.get_by_label("Dial", exact=True)).not_to_contain_text("Calls +1 415-555-2671")
    assert earshot.calls() == before

    dial(page)
    see_dialled(page)


def test_two_tabs_see_the_same_calls_and_each_address_names_what_it_shows(quiet: Quiet, open_tab: Open) -> None:
    one = open_tab(quiet.url)
    by_rest = quiet.answered("+442079460958")
    quiet.answered(NUMBER)
    other = open_tab(f"{quiet.url}/?call={by_rest}")
    expect(other.get_by_role("heading", name="+44 20 7946 0958")).to_be_visible()
    expect(part(other, "call-log").locator("[aria-current=true]")).to_contain_text("+44 20 7946 0958")

    # What one dials, the other sees. Programs find the parts by their names.
    for name in ("dial-number", "dial-call", "call-log"):
        expect(part(one, name)).to_be_visible()
    number = next(NEVER_CALLED_BEFORE)
    dial(one, number)
    see_dialled(one)
    for name in ("call-status", "call-end", "listen-toggle", "player-state", "transcript", "say-text", "say-send"):
        expect(part(one, name)).to_be_visible()
    dialled = quiet.calls()[0]
    assert dialled["to"] == number
    expect(one).to_have_url(f"{quiet.url}/?call={dialled['id']}")
    row = part(other, "call-log").get_by_role("button").first
    expect(row).to_contain_text(international(number))
    expect(row).to_contain_text(PLACED, timeout=PATIENCE)
    row.click()
    expect(other.get_by_role("heading", name=international(number))).to_be_visible()
    see_status(other, CallStatus.IN_PROGRESS)

    dial(one, number)  # which has a running call
    expect(part(one, "dial-confirm")).to_be_visible()
    one.keyboard.press("Control+k")
    expect(part(one, "palette")).to_be_visible()

    part(other, "call-end").click()
    for page in (one, other):
        see_status(page, CallStatus.ENDED)


def test_a_call_that_was_answered_before_the_page_could_show_it_is_heard(tmp_path: Path, open_tab: Open) -> None:
    """On a busy machine the page said "Queued" until the call was over."""
    program = tmp_path / "places_slowly.py"
    program.write_text(PLACES_SLOWLY)
    with earshot_process(program) as earshot:
        page = open_tab(earshot.url)
        dial(page)
        see_status(page, CallStatus.IN_PROGRESS)
        expect(part(page, "player-state")).to_have_attribute("data-state", "playing", timeout=PATIENCE)


def test_missing_credentials_are_named_and_nothing_can_be_dialled(earshot_with: Start, open_tab: Open) -> None:
    earshot = earshot_with(VAPI_API_KEY="k", VAPI_BASE_URL=NOWHERE)
    page = open_tab(earshot.url)
    expect(page.get_by_role("alert").filter(has_text="VAPI_ASSISTANT_ID and VAPI_PHONE_NUMBER_ID are missing")).to_be_visible()
    part(page, "dial-number").fill(NUMBER)
    expect(part(page, "dial-call")).to_be_disabled()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Dial", exact=True)).to_contain_text("Calls can't be placed")
    assert earshot.calls() == []


def test_an_error_is_shown_in_words(earshot_with: Start, open_tab: Open) -> None:
    earshot = earshot_with(**vapi_environ(NOWHERE))
    page = open_tab(earshot.url)
    dial(page)
    expect(page.get_by_role("alert").filter(has_text="Vapi can't be reached")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Vapi is not answering")).to_be_visible(timeout=PATIENCE)
    expect(part(page, "dial-call")).to_be_enabled()
