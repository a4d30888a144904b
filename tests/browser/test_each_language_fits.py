"""In each language the page and its dialogs fit every window. One page for all of them, since most of what it costs is to load it."""

from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, Quiet
from tests.browser.test_page import NUMBER, OTHER, part, see_dialled

WIDTHS = (2560, 1280, 820, 390)


@pytest.fixture
def without_contacts(quiet: Quiet) -> Iterator[None]:
    """The process is shared with other tests, in which a number would be shown by its name."""
    yield
    for contact in quiet._ask("GET", "/api/contacts")["contacts"]:
        urlopen(Request(f"{quiet.url}/api/contacts/{contact['number']}", method="DELETE"), timeout=30).close()


@pytest.mark.usefixtures("without_contacts")
@pytest.mark.parametrize("language", ["en-GB", "de-DE", "es-ES", "fr-FR"])
def test_the_page_and_its_dialogs(quiet: Quiet, open_tab: Open, language: str) -> None:
    page = open_tab(quiet.url, locale=language)
    for width in WIDTHS:
        see_nothing_wider_than_the_window(page, width)
    see_the_rules_fit_a_phone(page)
    see_the_contacts_fit_a_phone(page)

    page.set_viewport_size({"width": 1280, "height": 844})
    call = quiet.answered(OTHER)
    page.locator(f".row[data-call='{call}']").click()
    see_dialled(page)
    expect(part(page, "say-text")).to_be_visible()
    for width in WIDTHS:
        see_nothing_wider_than_the_window(page, width)
        page.evaluate("scrollTo(0, 0)")
        page.mouse.wheel(0, 2000)
        expect(part(page, "call-end")).to_be_in_viewport()


def see_nothing_wider_than_the_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == width


def see_the_rules_fit_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    expect(part(page, "rules")).to_be_hidden()
    dialog = part(page, "rules-dialog")
    expect(dialog).to_be_attached()  # it is built after the rest of the page
    part(page, "settings").click()
    page.locator(".rules-button").click()
    expect(page.locator("#settings")).to_be_hidden()
    expect(dialog).to_be_visible()
    assert dialog.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def see_the_contacts_fit_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    dialog = part(page, "contacts-dialog")
    expect(dialog).to_be_attached()
    part(page, "contacts").click()
    expect(dialog).to_be_visible()
    page.keyboard.type("Ana")
    dialog.locator("input[type=tel]").fill(NUMBER)
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    box = dialog.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert dialog.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
