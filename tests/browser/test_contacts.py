"""Contacts: entered, imported, found while typing, shown wherever their number is, and deleted."""

from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Locator, Page, expect

from services.domain.call import CallStatus
from tests.browser.conftest import Earshot, Open, quiet_process
from tests.browser.test_axe import violations
from tests.browser.test_page import part, see_status

NUMBER, OTHER = "+14155552671", "+442079460958"
FOUND, TYPED = "+14155552672", "+442079460959"
"""Each of one test alone."""


@pytest.fixture(scope="module")
def served() -> Iterator[Earshot]:
    with quiet_process() as earshot:
        yield earshot


@pytest.fixture
def earshot(served: Earshot) -> Iterator[Earshot]:
    """One of its own, without contacts, which would stay for the other tests."""
    yield served
    served.end_all()
    for contact in served._ask("GET", "/api/contacts")["contacts"]:
        urlopen(Request(f"{served.url}/api/contacts/{contact['number']}", method="DELETE"), timeout=30).close()


def opened(page: Page) -> Locator:
    dialog = part(page, "contacts-dialog")
    expect(dialog).to_be_attached()  # it is built after the rest of the page
    part(page, "contacts").click()
    expect(dialog).to_be_visible()
    return dialog


def add(page: Page, name: str, number: str, note: str = "") -> None:
    dialog = opened(page)
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Phone number").fill(number)
    dialog.get_by_label("Note").fill(note)
    page.keyboard.press("Enter")
    expect(dialog.get_by_text(f"{name} is saved.")).to_be_visible()


def test_a_name_is_shown_wherever_its_number_is(earshot: Earshot, open_tab: Open) -> None:
    call = earshot.place(NUMBER)["id"]
    page, other = open_tab(f"{earshot.url}/?call={call}"), open_tab(earshot.url)
    expect(page.locator(".stage .who")).to_have_text("+1 415-555-2671")
    add(page, "Ana Flores", "+1 (415) 555-2671", "prefers mornings")
    assert list(violations(page)) == []
    page.keyboard.press("Escape")
    expect(page.locator(".stage .who")).to_have_text("Ana Flores")
    expect(page.locator(".stage .sub")).to_contain_text("+1 415-555-2671, United States")
    for tab in (page, other):
        expect(part(tab, "call-log").locator(".row", has_text="Ana Flores")).to_contain_text("+1 415-555-2671")
    page.locator("body").press("p")
    expect(page.locator(".masked")).to_have_text("• •••-•••-••71")
    assert "Ana" not in str(page.evaluate("document.body.innerText"))
    page.keyboard.press("Escape")
    other.get_by_test_id("dial-number").fill(OTHER)
    expect(other.locator("#dial-says")).to_contain_text("Calls +44 20 7946 0958")
    part(page, "call-end").click()
    see_status(page, CallStatus.ENDED)
    dialog = opened(page)
    dialog.get_by_role("button", name="Delete Ana Flores").click()
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="The contact").click()
    expect(dialog.get_by_text("Ana Flores is deleted.")).to_be_visible()
    page.keyboard.press("Escape")
    for tab in (page, other):
        expect(part(tab, "call-log").locator(".row", has_text="+1 415-555-2671")).to_be_visible()
        expect(part(tab, "call-log")).not_to_contain_text("Ana Flores")


def test_contacts_are_entered_imported_found_and_erased_with_their_calls(earshot: Earshot, open_tab: Open) -> None:
    for number in (FOUND, OTHER):
        earshot.place(number)
    earshot.end_all()
    earshot._ask("PUT", "/api/contacts/+14155552674", {"name": "Eva Ortiz"})
    page = open_tab(earshot.url)
    calls = earshot.calls()
    dialog = opened(page)
    expect(dialog.get_by_role("listitem")).to_contain_text(["Eva Ortiz"])
    see_why_what_can_be_no_contact_is_none(page, dialog)
    see_a_file_imported_and_what_is_unclear_named(page, dialog, earshot)
    page.keyboard.press("Escape")
    see_a_name_find_the_calls_with_its_number(page)
    see_a_name_that_is_typed_find_its_number(page)
    assert earshot.calls() == calls
    see_a_number_erased_with_its_calls(page)


def see_why_what_can_be_no_contact_is_none(page: Page, dialog: Locator) -> None:
    dialog.get_by_label("Phone number").fill(NUMBER)
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("Give the contact a name.")
    dialog.get_by_label("Name").fill("Ana")
    dialog.get_by_label("Phone number").fill("12")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("country code")
    expect(dialog.get_by_label("Name")).to_have_value("Ana")
    expect(dialog.get_by_role("listitem")).to_have_count(1)


def see_a_file_imported_and_what_is_unclear_named(page: Page, dialog: Locator, earshot: Earshot) -> None:
    def import_(name: str, content: str) -> None:
        dialog.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/plain", "buffer": content.encode()})

    import_("people.csv", f"Name,Phone\nAna Flores,{NUMBER}\nJo,12\n")
    expect(dialog.get_by_text("1 contact is new.")).to_be_visible()
    expect(dialog.get_by_role("alert")).to_contain_text("Jo")
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    import_(
        "people.vcf",
        f"BEGIN:VCARD\nFN:Cleo Diaz\nPHOTO;ENCODING=b:AAAA\n BBBB\nTEL:{FOUND}\nEND:VCARD\n"
        "BEGIN:VCARD\nFN:Bo Chen\nTEL:+14155552673\nEND:VCARD\n"
        "BEGIN:VCARD\nFN:Kim\nTEL:12\nEND:VCARD\n",
    )
    expect(dialog.get_by_text("2 contacts are new.")).to_be_visible()
    expect(dialog.get_by_role("alert")).to_contain_text("Kim")
    expect(dialog.get_by_role("listitem")).to_contain_text(["Ana Flores", "Bo Chen", "Cleo Diaz", "Eva Ortiz"])
    kept = [contact["number"] for contact in earshot._ask("GET", "/api/contacts")["contacts"]]
    assert sorted(kept) == [NUMBER, FOUND, "+14155552673", "+14155552674"]


def see_a_name_find_the_calls_with_its_number(page: Page) -> None:
    rows = part(page, "call-log").locator(".row")
    expect(rows.filter(has_text="+44 20 7946 0958").first).to_be_visible()
    search = part(page, "call-log").get_by_role("searchbox")
    search.fill("diaz")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Cleo Diaz")
    search.fill("nobody")
    expect(rows).to_have_count(0)
    search.fill("")
    expect(rows.filter(has_text="+44 20 7946 0958").first).to_be_visible()


def see_a_name_that_is_typed_find_its_number(page: Page) -> None:
    add(page, "Zoë Park", TYPED)
    page.keyboard.press("Escape")
    field = part(page, "dial-number")
    field.fill("zoe")
    option = page.locator("#recent-numbers option[label='Zoë Park']")
    expect(option).to_have_attribute("value", "+44 20 7946 0959")
    field.fill("79460")
    expect(option).to_have_count(1)
    field.fill("+1")
    expect(option).to_have_count(0)
    field.fill(TYPED)
    expect(page.locator("#dial-says")).to_contain_text("Calls Zoë Park, +44 20 7946 0959 (United Kingdom)")
    field.fill("")
    dialog = opened(page)
    dialog.get_by_role("button", name="Put the number of Zoë Park into the field").click()
    expect(dialog).to_be_hidden()
    expect(field).to_have_value("+44 20 7946 0959")


def see_a_number_erased_with_its_calls(page: Page) -> None:
    log = part(page, "call-log")
    expect(log.locator(".row", has_text="+1 415-555-2672")).to_be_visible()
    others = log.locator(".row", has_text="+44 20 7946 0958").count()
    dialog = opened(page)
    dialog.get_by_role("button", name="Delete Cleo Diaz").click()
    dialog.get_by_role("button", name="And its calls’ data").click()
    expect(dialog.get_by_text("Cleo Diaz is deleted, and the data of 1 call.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(log.locator(".row", has_text="Deleted call")).to_have_count(1)
    expect(log.locator(".row", has_text="+44 20 7946 0958")).to_have_count(others)
    expect(log).not_to_contain_text("555-2672")
