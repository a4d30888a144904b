"""Who calls whom: what is chosen and typed in the dialer is what Vapi is asked for, and nothing but Call dials."""

from collections.abc import Mapping

from playwright.sync_api import Locator, Page, expect

from services.domain.call import CallStatus
from tests.browser import states
from tests.browser.axe import complaints
from tests.browser.conftest import Earshot, Open, Start
from tests.browser.states import RINGS_LONG, Bring
from tests.browser.test_page import see_dialled, see_status
from tests.process import vapi_environ

NUMBER = "+14155552671"
FIELD, PROMISE = "dial-number", "#dial-says"


def paste(page: Page, text: str) -> None:
    page.get_by_test_id(FIELD).evaluate(
        """(field, text) => {
            field.focus();
            field.select();
            const clipboardData = new DataTransfer();
            clipboardData.setData("text", text);
            field.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
        }""",
        text,
    )


def test_who_is_called_by_whom_and_with_what(earshot: Earshot, open_tab: Open) -> None:
    """One page, since each of these only types, and dials at the end."""
    page = open_tab(earshot.url)
    see_a_number_pasted_in_any_form(page)
    see_a_number_of_the_caller_ids_country_need_no_country_code(page, earshot)
    see_options_need_names_hold_for_one_call_and_enter_among_them_dial_nothing(page, earshot)
    see_what_is_chosen_called_and_its_limits_said_before(page)


def end(page: Page, earshot: Earshot) -> None:
    earshot.end_all()
    see_status(page, CallStatus.ENDED)


def see_a_number_pasted_in_any_form(page: Page) -> None:
    field = page.get_by_test_id(FIELD)
    for text in ("tel:+1-415-555-2671", "Phone: +1 (415) 555 2671", "001 415 555 2671", "＋１ ４１５ ５５５ ２６７１"):
        field.fill("")
        for _ in range(2):  # the second time over what became of the first
            paste(page, text)
            expect(field, f"after {text}").to_have_value("+1 415-555-2671")
        expect(page.locator(PROMISE), f"after {text}").to_contain_text("Calls +1 415-555-2671")


def see_a_number_of_the_caller_ids_country_need_no_country_code(page: Page, earshot: Earshot) -> None:
    before = len(earshot.calls())
    for text in ("(415) 555-2671", "Call me on (415) 555-2671, after six"):
        page.get_by_test_id(FIELD).fill("")
        expect(page.locator(".country")).not_to_contain_text("United States")
        paste(page, text)
        expect(page.get_by_test_id(FIELD), f"after {text}").to_have_value("(415) 555-2671")
        expect(page.locator(".country"), f"after {text}").to_have_text("+1 415-555-2671, United States")
        expect(page.locator(PROMISE)).to_contain_text("Calls +1 415-555-2671 (United States) from Main line as Riley.")
        expect(confirm(page)).to_be_hidden()
    page.get_by_test_id("dial-call").click()
    see_dialled(page)
    assert [call["to"] for call in earshot.calls()[: len(earshot.calls()) - before]] == [NUMBER]
    end(page, earshot)


def see_options_need_names_hold_for_one_call_and_enter_among_them_dial_nothing(page: Page, earshot: Earshot) -> None:
    before = len(earshot.calls())
    page.get_by_test_id(FIELD).fill(RINGS_LONG)
    page.get_by_text("More", exact=True).click()
    page.get_by_label("First message").fill("Hi, this is a test.")
    page.get_by_role("button", name="Add a variable").click()
    page.keyboard.type("first")
    page.keyboard.press("Enter")
    page.get_by_label("Value").fill("Ada")
    page.keyboard.press("Enter")
    expect(page.get_by_text("changed for this call")).to_be_visible()
    assert len(earshot.calls()) == before
    name = page.locator("[name=variable-name]")
    name.fill("")
    page.get_by_test_id("dial-call").click()
    expect(page.get_by_role("alert").filter(has_text="A variable has a value but no name")).to_be_visible()
    assert len(earshot.calls()) == before
    name.fill("first")
    page.get_by_test_id("dial-call").click()
    see_dialled(page)
    expect(page.get_by_label("First message")).to_have_value("")
    expect(page.get_by_label("Value")).to_have_count(0)
    assert len(earshot.calls()) == before + 1
    end(page, earshot)


def see_what_is_chosen_called_and_its_limits_said_before(page: Page) -> None:
    page.get_by_test_id(FIELD).fill(NUMBER)
    expect(page.locator(PROMISE)).to_contain_text("Calls +1 415-555-2671 (United States) from Main line as Riley.")
    expect(page.get_by_text("about 10 calls a day")).to_be_hidden()
    page.get_by_test_id("dial-assistant").select_option(label="Sam, feedback")
    page.get_by_test_id("dial-caller-id").select_option(label="Front desk")
    expect(page.locator(PROMISE)).to_contain_text("from Front desk as Sam, feedback.")
    expect(page.get_by_text("A free Vapi number: about 10 calls a day, none abroad.")).to_be_visible()
    page.get_by_test_id(FIELD).fill("+49 30 901820")
    expect(page.get_by_text("A free Vapi number can't call Germany")).to_be_visible()
    page.get_by_test_id(FIELD).fill(RINGS_LONG)
    expect(page.get_by_text("A free Vapi number can't call Germany")).to_be_hidden()
    page.get_by_test_id("dial-call").click()
    expect(page.locator(".whom")).to_contain_text("from Front desk as Sam, feedback")
    assert [page.get_by_test_id(f"dial-{name}").evaluate("e => e.selectedOptions[0].text") for name in ("assistant", "caller-id")] == [
        "Sam, feedback",
        "Front desk",
    ]


def test_an_address_fills_and_never_dials_and_numbers_that_were_called_are_offered_again(earshot: Earshot, open_tab: Open) -> None:
    earshot.place("+442079460958")
    before = earshot.calls()
    page = open_tab(f"{earshot.url}/?to=")
    for to, number in (
        ("tel:%2B14155552671", "+1 415-555-2671"),
        ("+1%20415%20555%202672", "+1 415-555-2672"),
        ("tel:+1-415-555-2673", "+1 415-555-2673"),
    ):
        page.goto(f"{earshot.url}/?to={to}")
        expect(page.get_by_test_id(FIELD)).to_have_value(number)
        expect(page.locator(PROMISE)).to_contain_text(f"Calls {number}")
    assert [call["id"] for call in earshot.calls()] == [call["id"] for call in before]
    expect(page.locator("#recent-numbers option").first).to_have_attribute("value", "+44 20 7946 0958")
    assert page.get_by_test_id(FIELD).evaluate("field => field.list.id") == "recent-numbers"


def go_on_without_vapis_lists(page: Page, earshot: Earshot) -> None:
    expect(page.get_by_role("heading", name="Dial a number, hear both sides")).to_be_visible()
    expect(page.get_by_test_id("scenes")).to_have_count(0)
    expect(page.locator(".live-steps")).to_have_count(0)
    expect(page.get_by_text("could not be loaded. Calls use the defaults.")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name="Try again")).to_be_enabled()
    page.get_by_test_id(FIELD).fill(NUMBER)
    expect(page.locator(PROMISE)).to_contain_text("Calls +1 415-555-2671 (United States).")
    states.not_answering(page, earshot)


WITHOUT_LISTS: Mapping[str, Bring] = {"not_answering": go_on_without_vapis_lists}
"""A state that axe finds nothing to complain about in; `test_axe.py` has the others."""


def test_with_all_credentials_nothing_is_offered_for_a_try_and_without_vapis_lists_it_says_so_and_goes_on(
    earshot_with: Start, open_tab: Open
) -> None:
    earshot = earshot_with(**vapi_environ("http://127.0.0.1:9"))
    assert complaints(open_tab(earshot.url, reduced_motion="reduce"), earshot, WITHOUT_LISTS) == []


def confirm(page: Page) -> Locator:
    return page.get_by_test_id("dial-confirm")


def test_a_number_that_only_the_browsers_country_has_is_asked_for_once(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url, locale="en-DE")
    before = len(earshot.calls())
    see_a_yes_to_a_question_that_is_not_open_any_more_dial_nothing(page, earshot)
    page.get_by_test_id(FIELD).fill("")
    page.get_by_test_id(FIELD).press_sequentially("0170 1234567")
    expect(page.get_by_role("alert").filter(has_text="Did you mean +49 170 1234567, Germany?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(confirm(page)).to_be_hidden()
    expect(page.get_by_text("Start with + and the country code.")).to_be_visible()
    page.get_by_test_id(FIELD).fill("0170 1234568")
    expect(confirm(page)).to_have_text("Call +49 170 1234568")  # again, since the text is another
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("dial-call")).to_be_enabled()
    assert len(earshot.calls()) == before
    confirm(page).click()
    see_dialled(page)
    assert [call["to"] for call in earshot.calls()[: len(earshot.calls()) - before]] == ["+491701234568"]


def see_a_yes_to_a_question_that_is_not_open_any_more_dial_nothing(page: Page, earshot: Earshot) -> None:
    before = len(earshot.calls())
    page.get_by_test_id(FIELD).fill("0170 1234569")
    expect(confirm(page)).to_have_text("Call +49 170 1234569")
    confirm(page).evaluate("button => { button.value = button.value.replace('+49', '+43'); }")  # as if it was shown before
    confirm(page).click()
    expect(page.get_by_test_id("dial-call")).to_be_enabled()
    expect(confirm(page)).to_be_visible()
    assert len(earshot.calls()) == before


def test_a_question_can_be_taken_back_and_a_yes_answers_only_what_was_asked_in_no_double_click(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url, apart=True)
    first = earshot.place("+14150552671", confirmUnlikelyNumber=True)
    page.get_by_test_id(FIELD).fill("+1 415 055 2671")
    page.get_by_test_id("dial-call").click()
    expect(confirm(page)).to_be_visible()
    page.keyboard.press("Escape")  # takes it back
    expect(confirm(page)).to_be_hidden()
    expect(page.get_by_role("alert").filter(visible=True)).to_have_count(0)
    page.get_by_test_id("dial-call").click()
    expect(page.get_by_role("alert").filter(has_text="does not look like a number in use")).to_be_visible()
    before = len(earshot.calls())
    # the next question waits for the end of a double click
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now() + 1"))
    confirm(page).click()
    expect(page.get_by_role("alert").filter(has_text="This number has an active call. Call it again?")).to_be_visible()
    page.clock.run_for(1000)
    expect(confirm(page)).to_be_disabled()
    page.clock.run_for(500)
    expect(confirm(page)).to_be_enabled()
    assert len(earshot.calls()) == before
    page.clock.resume()
    confirm(page).click()
    see_dialled(page)
    assert len(earshot.calls()) == before + 1
    assert first["id"] != earshot.calls()[0]["id"]
