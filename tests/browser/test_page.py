"""The page as people use it, on the demo line: dial, hear, hang up, and all that must not dial."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from services.domain.call import CallStatus
from tests.browser.conftest import Earshot, Line, Open, Quiet, Start
from tests.process import vapi_environ

NUMBER = "+14155552671"
RINGS_LONG = "+12025550102"
NOWHERE = "http://127.0.0.1:9"
PLACED = re.compile("Queued|Ringing|Answered")
PATIENCE = 60_000  # ms: the machine may be busy


def part(page: Page, name: str) -> Locator:
    return page.get_by_test_id(name)


def see_status(page: Page, status: CallStatus) -> None:
    expect(part(page, "call-status")).to_have_attribute("data-status", status.value, timeout=PATIENCE)


def see_dialled(page: Page) -> None:
    """The call is placed. It rings for 3 s, which a page on a busy machine may not see in time."""
    placed = re.compile("^(queued|ringing|in-progress)$")
    expect(part(page, "call-status")).to_have_attribute("data-status", placed, timeout=PATIENCE)


def dial(page: Page, number: str = NUMBER) -> None:
    part(page, "dial-number").fill(number)
    part(page, "dial-call").click()


def test_a_call_from_the_press_to_its_end(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    before = len(earshot.calls())
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
    expect(part(page, "listen-toggle")).to_have_text("Stop listening")
    expect(page.get_by_role("timer").first).to_have_text(re.compile(r"0:(0[1-9]|[1-5]\d)"), timeout=PATIENCE)
    expect(part(page, "call-log")).to_contain_text("Active")

    part(page, "call-end").click()
    see_status(page, CallStatus.ENDED)
    expect(page.get_by_label("Call", exact=True)).to_contain_text("You ended the call.")
    expect(page.get_by_label("Call", exact=True)).to_contain_text("Cost", timeout=PATIENCE)
    expect(part(page, "call-end")).to_be_hidden()
    expect(part(page, "call-log")).to_contain_text("Earlier")
    assert len(earshot.calls()) == before + 1

    part(page, "dial-number").fill("")
    page.get_by_role("button", name="Call again").click()
    expect(part(page, "dial-number")).to_have_value("+1 415-555-2671")
    assert len(earshot.calls()) == before + 1


def test_listening_stops_and_starts_with_the_button(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(f"{earshot.url}/?call={earshot.place(NUMBER)['id']}")
    toggle = part(page, "listen-toggle")
    toggle.click()
    expect(part(page, "player-state")).to_have_attribute("data-state", "playing", timeout=PATIENCE)
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "false")
    expect(part(page, "player-state")).to_have_attribute("data-state", "stopped")
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "true")
    expect(part(page, "player-state")).to_have_attribute("data-state", "playing", timeout=PATIENCE)


def test_it_says_why_nobody_answered_and_a_call_whose_answer_was_lost_is_found_and_not_dialled_again(
    earshot: Earshot, open_tab: Open
) -> None:
    page = open_tab(earshot.url)
    dial(page, "+12025550101")
    see_status(page, CallStatus.ENDED)
    expect(page.get_by_label("Call", exact=True)).to_contain_text("busy")
    expect(part(page, "call-log").get_by_role("button").first).to_contain_text("busy")
    expect(page.locator(".steps .todo")).to_have_text("Answered")

    before = len(earshot.calls())
    dial(page, "+12025550106")
    see_dialled(page)
    assert len(earshot.calls()) == before + 1


def test_a_number_is_grouped_as_it_is_typed_and_a_wrong_one_is_not_dialled(earshot: Earshot, open_tab: Open) -> None:
    """One page, since each of these only types."""
    page = open_tab(earshot.url)
    see_digits_grouped_and_none_lost_however_fast_they_come(page)
    see_no_complaint_while_a_number_is_still_being_typed(page)
    see_no_wrong_number_dialled(page, earshot)
    see_an_unlikely_number_take_a_second_press(page, earshot)


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


def test_a_held_enter_and_a_double_press_place_one_call_each(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    before = len(earshot.calls())
    part(page, "dial-number").fill(NUMBER)
    for _ in range(40):
        page.keyboard.down("Enter")  # again and again without an up: the browser's own repetition
        page.wait_for_timeout(50)
    page.keyboard.up("Enter")
    see_dialled(page)
    assert len(earshot.calls()) == before + 1

    earshot.end_all()
    see_status(page, CallStatus.ENDED)
    before = len(earshot.calls())
    part(page, "dial-number").fill(NUMBER)
    button = part(page, "dial-call")
    button.dblclick(delay=40)
    button.evaluate("button => { for (let k = 0; k < 5; k++) { button.click(); button.form.requestSubmit(); } }")
    expect(button).to_be_disabled()
    see_dialled(page)
    expect(button).to_be_enabled()
    assert len(earshot.calls()) == before + 1


def about_to_call(line: Line, open_tab: Open) -> Page:
    """A page over a line that is going to fail, and that has said whom it would call."""
    page = open_tab(line.url, faulty=True)
    part(page, "dial-number").fill(NUMBER)
    expect(page.get_by_label("Dial", exact=True)).to_contain_text("Calls +1 415-555-2671")
    return page


def test_a_press_that_arrives_late_dials_nothing(earshot: Earshot, line: Line, open_tab: Open) -> None:
    before = earshot.calls()
    page = about_to_call(line, open_tab)
    line.hold()
    part(page, "dial-call").click()
    page.wait_for_timeout(3500)
    line.release()
    expect(page.get_by_role("alert").filter(has_text="nothing was dialled")).to_be_visible(timeout=PATIENCE)
    assert earshot.calls() == before
    dial(page)
    see_dialled(page)


def test_a_press_without_a_connection_dials_nothing(earshot: Earshot, line: Line, open_tab: Open) -> None:
    before = earshot.calls()
    page = about_to_call(line, open_tab)
    line.cut()
    page.wait_for_function("!window.socket.connected")
    part(page, "dial-call").click()
    expect(page.get_by_role("alert").filter(has_text="nothing was dialled")).to_be_visible()
    expect(part(page, "offline")).to_contain_text("No connection to Earshot", timeout=PATIENCE)
    line.mend()
    page.wait_for_function("window.socket.connected")
    expect(part(page, "offline")).to_be_hidden(timeout=PATIENCE)
    part(page, "dial-number").fill("+1 415")  # heard after whatever was held back would have been
    expect(part(page, "dial-number")).to_have_value("+1 415")
    expect(page.get_by_label("Dial", exact=True)).not_to_contain_text("Calls +1 415-555-2671")
    assert earshot.calls() == before


def test_a_reload_finds_the_call_and_offers_to_listen(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    dial(page)
    see_status(page, CallStatus.IN_PROGRESS)
    page.reload()
    see_status(page, CallStatus.IN_PROGRESS)
    expect(part(page, "listen-toggle")).to_have_text("Listen")
    expect(part(page, "player-state")).to_have_attribute("data-state", "idle")
    part(page, "listen-toggle").click()
    expect(part(page, "player-state")).to_have_attribute("data-state", "playing", timeout=PATIENCE)


def test_two_tabs_see_the_same_calls(quiet: Quiet, open_tab: Open) -> None:
    one, other = open_tab(quiet.url), open_tab(quiet.url)
    dial(one, "+14155552601")
    see_dialled(one)
    row = part(other, "call-log").get_by_role("button").first
    expect(row).to_contain_text(PLACED, timeout=PATIENCE)
    row.click()
    see_status(other, CallStatus.IN_PROGRESS)
    part(other, "call-end").click()
    for page in (one, other):
        see_status(page, CallStatus.ENDED)


def test_a_call_placed_by_rest_is_listed_and_its_address_shows_it(earshot: Earshot, open_tab: Open) -> None:
    first = earshot.place("+442079460958")
    earshot.place(NUMBER)
    page = open_tab(f"{earshot.url}/?call={first['id']}")
    expect(page.get_by_role("heading", name="+44 20 7946 0958")).to_be_visible()
    expect(part(page, "call-log").locator("[aria-current=true]")).to_contain_text("+44 20 7946 0958")


def test_an_address_fills_the_field_and_dials_nothing(earshot: Earshot, open_tab: Open) -> None:
    before = earshot.calls()
    page = open_tab(f"{earshot.url}/?to=%2B14155552671")
    expect(part(page, "dial-number")).to_have_value("+1 415-555-2671")
    expect(page.get_by_label("Dial", exact=True)).to_contain_text("Calls +1 415-555-2671")
    expect(part(page, "call-status")).to_have_count(0)
    assert earshot.calls() == before


def test_an_address_of_no_call_says_so(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(f"{earshot.url}/?call=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    alert = page.get_by_role("alert").filter(has_text="No such call")
    expect(alert).to_be_visible()
    expect(alert).to_contain_text("Calls on the demo line end when Earshot stops.")


def test_the_address_names_the_call_that_is_shown_and_a_reload_shows_it_again(quiet: Quiet, open_tab: Open) -> None:
    page = open_tab(quiet.url)
    dial(page, "+14155552602")
    see_dialled(page)
    first = quiet.calls()[0]["id"]
    expect(page).to_have_url(f"{quiet.url}/?call={first}")
    quiet.place("+442079460958")
    page.reload()
    expect(page.get_by_role("heading", name="+1 415-555-2602")).to_be_visible()


def test_placing_continues_when_the_tab_is_closed(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    before = len(earshot.calls())
    dial(page, "+12025550106")  # its answer comes late, since the call has to be looked for
    expect(part(page, "call-status")).to_have_attribute("data-status", "dialling")
    page.close()
    watching = open_tab(earshot.url)
    expect(part(watching, "call-log").get_by_role("button").first).to_contain_text(PLACED, timeout=PATIENCE)
    assert len(earshot.calls()) == before + 1


def test_programs_find_the_parts_by_their_names(quiet: Quiet, open_tab: Open) -> None:
    page = open_tab(quiet.url)
    for name in ("dial-number", "dial-call", "call-log"):
        expect(part(page, name)).to_be_visible()
    dial(page, "+14155552603")
    for name in ("call-status", "call-end", "listen-toggle", "player-state", "transcript", "say-text", "say-send"):
        expect(part(page, name)).to_be_visible()
    dial(page, "+14155552603")  # a second call to a number that has a running call
    expect(part(page, "dial-confirm")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(part(page, "palette")).to_be_visible()


@pytest.mark.parametrize("language", ["en-GB", "de-DE", "es-ES", "fr-FR"])
def test_nothing_is_wider_than_the_window(quiet: Quiet, open_tab: Open, language: str) -> None:
    page = open_tab(quiet.url, locale=language)
    widths = (2560, 1280, 820, 390)
    for width in widths:
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") == width
    call = quiet.answered(NUMBER)
    page.locator(f".row[data-call='{call}']").click()
    see_dialled(page)
    expect(part(page, "say-text")).to_be_visible()
    for width in widths:
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.evaluate("scrollTo(0, 0)")
        page.mouse.wheel(0, 2000)
        expect(part(page, "call-end")).to_be_in_viewport()


def test_the_page_has_what_a_screen_reader_needs(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    dial(page, RINGS_LONG)
    see_status(page, CallStatus.RINGING)
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
