"""The fleet: many running calls at a glance, and one press hears one of them."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from services.support.words import catalogue, languages
from tests.browser.conftest import Earshot, Open, earshot_process
from tests.browser.states import silenced
from tests.browser.test_page import PATIENCE, part

CALLS = 6


@pytest.fixture(scope="module")
def served() -> Iterator[Earshot]:
    with earshot_process(EARSHOT_CALLS_PER_HOUR="500", EARSHOT_MEASURE="on") as earshot:
        yield earshot


@pytest.fixture
def earshot(served: Earshot) -> Iterator[Earshot]:
    yield served
    served.end_all()


def placed(earshot: Earshot, count: int = CALLS) -> list[str]:
    return [earshot.place(f"+1415555{2700 + number}")["id"] for number in range(count)]


def card(page: Page, call_id: str):  # type: ignore[no-untyped-def]
    return part(page, "fleet").locator(f"[data-call='{call_id}']")


def test_many_calls_are_a_grid_and_one_press_hears_one(earshot: Earshot, open_tab: Open) -> None:
    calls = placed(earshot)
    page = open_tab(earshot.url)
    expect(part(page, "fleet").get_by_role("heading")).to_contain_text("6 calls")
    expect(part(page, "dial-number")).to_be_hidden()
    speaks = re.compile("Customer speaks|Assistant speaks|Both speak")
    expect(card(page, calls[2]).locator(".pill")).to_have_text(speaks, timeout=PATIENCE)
    expect(card(page, calls[2]).locator("rect").first).to_be_attached(timeout=PATIENCE)
    card(page, calls[2]).get_by_role("button", name="Listen").click()
    expect(card(page, calls[2])).to_have_class(re.compile(r"\bheard\b"), timeout=PATIENCE)
    expect(part(page, "player-state")).to_have_attribute("data-state", "playing", timeout=PATIENCE)
    expect(part(page, "fleet").locator(".heard")).to_have_count(1)
    card(page, calls[4]).get_by_role("button", name="Listen").click()
    expect(card(page, calls[4])).to_have_class(re.compile(r"\bheard\b"), timeout=PATIENCE)
    expect(part(page, "fleet").locator(".heard")).to_have_count(1)
    card(page, calls[4]).get_by_role("button", name="Listening").click()
    expect(part(page, "fleet").locator(".heard")).to_have_count(0)
    card(page, calls[1]).locator("button.fleet-name").click()
    expect(part(page, "fleet")).to_be_hidden()
    expect(page.locator(".who")).to_have_text("+1 415-555-2701")
    expect(part(page, "call-end")).to_be_visible()


def test_whoever_types_keeps_the_page_until_it_is_asked_for(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    part(page, "dial-number").press_sequentially("+1 415")
    placed(earshot)
    expect(part(page, "view-fleet")).to_contain_text("6", timeout=PATIENCE)
    expect(part(page, "dial-number")).to_be_visible()
    expect(part(page, "fleet")).to_have_count(0)
    part(page, "view-fleet").click()
    expect(part(page, "fleet").locator(".fleet-card")).to_have_count(CALLS)
    part(page, "view-calls").click()
    expect(part(page, "dial-number")).to_have_value("+1 415")


def test_a_call_that_fell_silent_comes_first_and_a_key_hears_it(earshot: Earshot, open_tab: Open) -> None:
    placed(earshot, 1)
    page = open_tab(earshot.url)
    silent = silenced(page, earshot)
    part(page, "view-fleet").click()
    expect(card(page, silent)).to_have_class(re.compile(r"\bneedy\b"), timeout=PATIENCE)
    expect(card(page, silent)).to_contain_text("Silent for")
    expect(part(page, "fleet").locator(".fleet-card").first).to_have_attribute("data-call", silent)
    expect(part(page, "view-fleet").get_by_role("img")).to_have_text("1")
    page.locator("body").press("n")
    expect(card(page, silent)).to_have_class(re.compile(r"\bheard\b"), timeout=PATIENCE)


def test_an_ended_call_leaves_and_the_cards_stay_where_the_pointer_is(earshot: Earshot, open_tab: Open) -> None:
    calls = placed(earshot)
    page = open_tab(earshot.url)
    expect(part(page, "fleet").locator(".fleet-card")).to_have_count(CALLS)
    card(page, calls[0]).hover()
    earshot._ask("POST", f"/api/calls/{calls[3]}/end")
    expect(part(page, "fleet").locator(".fleet-card")).to_have_count(CALLS - 1, timeout=PATIENCE)
    assert part(page, "fleet").locator(".fleet-card").first.get_attribute("data-call") == calls[0]


def test_small_cards_say_everything_in_every_language(earshot: Earshot, open_tab: Open) -> None:
    placed(earshot, 13)
    page = open_tab(earshot.url, viewport={"width": 1280, "height": 720})
    small = part(page, "fleet").locator(".fleet-card:has(.btn) .pill").first  # beside a button that has no words in any language
    expect(small).to_be_visible(timeout=PATIENCE)
    names = ("customer", "assistant", "both", "lost", "silent", "slow", "interrupted")
    cut = "(pill, texts) => texts.filter((text) => { pill.textContent = text; return pill.scrollWidth > pill.clientWidth; })"
    for language in languages():
        texts = [catalogue(language).say(f"fleet_{name}", seconds="120", count=4) for name in names]
        assert small.evaluate(cut, texts) == [], language


def test_the_wall_has_room_for_all_calls_and_shows_fifty_without_controls_or_numbers(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(f"{earshot.url}/wall")
    cards = part(page, "fleet").locator(".fleet-card")
    shown = 0
    for more in (7, 12):
        placed(earshot, more)
        shown += more
        expect(cards).to_have_count(shown)
        for width, height in ((1280, 720), (1920, 1080)):
            page.set_viewport_size({"width": width, "height": height})
            expect(cards.last).to_be_in_viewport(ratio=1)
            if shown == 7:
                for one in cards.all():
                    expect(one).to_be_in_viewport(ratio=1)
    placed(earshot, 50 - shown)
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(cards).to_have_count(50)
    expect(page.get_by_role("button")).to_have_count(0)
    assert "555" not in page.inner_text("body")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("[...document.querySelectorAll('.fleet-name')].every((name) => name.scrollWidth <= name.clientWidth)")
