"""In every language the page fits its window. Each language loads the page once for a phone and once for a desktop."""

import re
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, expect

from services.domain.call import CallStatus
from tests.browser.conftest import Earshot, Open, Quiet, earshot_process
from tests.browser.states import BUSY
from tests.browser.test_event_webhooks import delete_webhooks, open_panel, receiving
from tests.browser.test_page import NUMBER, PATIENCE, part, see_status
from tests.browser.test_stage import sizes

PHONE_PX, WIDTHS = 390, (2560, 1280, 820, 390)
LANGUAGES = pytest.mark.parametrize("language", ["en-US", "de-DE", "es-ES", "fr-FR"])


def fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")


@pytest.fixture(scope="module")
def served() -> Iterator[Earshot]:
    with earshot_process(EARSHOT_WEBHOOK_NETWORKS="127.0.0.1") as earshot:
        yield earshot


@pytest.fixture
def without_contacts(served: Earshot) -> Iterator[None]:
    """The next language enters the same one."""
    yield
    for contact in served._ask("GET", "/api/contacts")["contacts"]:
        urlopen(Request(f"{served.url}/api/contacts/{contact['number']}", method="DELETE"), timeout=30).close()


@pytest.mark.usefixtures("without_contacts")
@LANGUAGES
def test_it_fits_a_phone(served: Earshot, open_tab: Open, language: str) -> None:
    page = open_tab(served.url, viewport={"width": PHONE_PX, "height": 844}, locale=language)
    page.locator(".go-live summary").click()
    expect(page.locator(".live-steps")).to_be_visible()
    fits(page)
    page.locator(".go-live summary").click()
    see_the_tour_fit_and_name_only_what_is_there(page)
    see_the_deletion_of_a_number_fit(page)
    see_the_rules_fit(page)
    see_the_contacts_fit(page)
    see_webhooks_fit(page, served)
    served.end_all()
    delete_webhooks(served)


def see_the_tour_fit_and_name_only_what_is_there(page: Page) -> None:
    part(page, "tour-start").click()
    tour = part(page, "tour")
    expect(tour).to_contain_text(re.compile("1 / [1-9]"))  # closed it has none
    steps = int((tour.locator("small").text_content() or "").rpartition("/")[2])
    assert steps > 3
    for step in range(1, steps + 1):
        expect(tour).to_contain_text(f"{step} / {steps}")
        expect(page.locator("[data-toured]")).to_be_visible()
        expect(tour).to_be_in_viewport(ratio=1)
        if step < steps:
            part(page, "tour-next").click()
    expect(part(page, "tour-next")).to_have_count(0)
    fits(page)
    page.keyboard.press("Escape")
    expect(tour).to_be_hidden()


def see_the_deletion_of_a_number_fit(page: Page) -> None:
    part(page, "settings").click()
    panel = part(page, "number-deletion")
    panel.locator("summary").click()
    part(page, "number-delete-number").fill("+14155550199")
    part(page, "number-delete-look").click()
    expect(part(page, "number-delete-found")).to_be_visible()
    assert page.locator("#settings").evaluate("panel => panel.scrollWidth - panel.clientWidth") == 0
    fits(page)
    page.keyboard.press("Escape")
    expect(page.locator("#settings")).to_be_hidden()


def see_the_rules_fit(page: Page) -> None:
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
    page.set_viewport_size({"width": PHONE_PX, "height": 844})


def see_the_contacts_fit(page: Page) -> None:
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
    assert box["x"] + box["width"] <= PHONE_PX
    assert dialog.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def see_webhooks_fit(page: Page, served: Earshot) -> None:
    with receiving() as (_, url):
        panel = open_panel(page)
        part(page, "event-webhook-url").fill(url)
        part(page, "event-webhook-add").click()
        row = part(page, "event-webhook")
        row.get_by_test_id("event-webhook-log").locator("summary").click()
        row.get_by_test_id("event-webhook-events").locator("summary").click()
        served.place(BUSY)
        expect(row.get_by_test_id("delivery").first).to_be_visible()
    fits(page)
    assert page.locator("#settings").evaluate("panel => panel.scrollWidth - panel.clientWidth") == 0
    buttons = panel.get_by_role("button").all()
    assert buttons
    for button in buttons:
        box = button.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE_PX


@LANGUAGES
def test_it_fits_a_desktop(quiet: Quiet, open_tab: Open, language: str) -> None:
    page = open_tab(quiet.url, viewport={"width": 1920, "height": 720}, locale=language)
    see_the_palettes_button_show_all_of_its_words_or_none_and_the_header_fit(page)
    for width in WIDTHS:
        see_nothing_wider_than_the_window(page, width)
    page.set_viewport_size({"width": 1280, "height": 720})
    call = see_nothing_in_the_header_move_when_a_call_comes(page, quiet)
    see_status(page, CallStatus.IN_PROGRESS)
    expect(part(page, "listen-toggle")).to_have_attribute("aria-pressed", "true")  # whoever opens a call hears it
    quiet.say(call, "assistant", "Hi, this is Riley from Wellness Partners.")
    expect(part(page, "transcript").locator(".bubble").first).to_be_visible()
    for _ in sizes(page, (1280, 720)):
        see_what_a_call_needs(page)
    for width in WIDTHS:
        see_nothing_wider_than_the_window(page, width)
        page.evaluate("scrollTo(0, 0)")
        page.mouse.wheel(0, 2000)
        expect(part(page, "call-end")).to_be_in_viewport()


def see_nothing_wider_than_the_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == width


def see_the_palettes_button_show_all_of_its_words_or_none_and_the_header_fit(page: Page) -> None:
    button = page.locator(".banner > .find")
    words, key = button.locator("span"), button.locator("kbd")
    expect(words).to_be_in_viewport(ratio=1)
    for width in (1440, 1280, 1279, 1101, 1001, 821):
        page.set_viewport_size({"width": width, "height": 720})
        fits(page)
        if width < 1280:
            expect(button).to_be_hidden()
            continue
        expect(key).to_be_in_viewport(ratio=1)
        around, box = button.bounding_box(), words.bounding_box()
        assert around
        assert box
        seen = box["y"] < around["y"] + around["height"]
        assert not seen or around["x"] <= box["x"] <= box["x"] + box["width"] <= around["x"] + around["width"]


def see_nothing_in_the_header_move_when_a_call_comes(page: Page, quiet: Quiet) -> str:
    places = """() => [...document.querySelectorAll('.banner > :not(.present)')].filter((one) => one.checkVisibility())
        .map((one) => [one.className, Math.round(one.getBoundingClientRect().left)])"""
    before = page.evaluate(places)
    call = quiet.answered(NUMBER)
    page.locator(f".row[data-call='{call}']").click()
    expect(part(page, "call-end")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate(places) == before
    fits(page)
    return call


def see_what_a_call_needs(page: Page) -> None:
    for needed in ("call-end", "say-send", "say-text"):
        expect(part(page, needed)).to_be_in_viewport(ratio=1)
    expect(part(page, "transcript").locator(".said").last).to_be_in_viewport()  # there is room for what is said
    fits(page)
