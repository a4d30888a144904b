"""The fleet: many running calls at a glance, and one press hears one of them."""

import re
from collections.abc import Iterator, Mapping

import pytest
from playwright.sync_api import Page, expect

from services.support.words import catalogue, languages
from tests.browser import states
from tests.browser.axe import complaints
from tests.browser.conftest import Earshot, Open, earshot_process, quiet_process
from tests.browser.states import NEVER_CALLED_BEFORE, RINGS_LONG, Bring
from tests.browser.test_page import PATIENCE, part


@pytest.fixture(scope="module")
def served() -> Iterator[Earshot]:
    with earshot_process(EARSHOT_CALLS_PER_HOUR="500", EARSHOT_MEASURE="on") as earshot:
        yield earshot


@pytest.fixture
def earshot(served: Earshot) -> Iterator[Earshot]:
    yield served
    served.end_all()


def placed(earshot: Earshot, count: int, first: int = 0) -> list[str]:
    return [earshot.place(f"+1415555{2700 + first + number}")["id"] for number in range(count)]


def card(page: Page, call_id: str):  # type: ignore[no-untyped-def]
    return part(page, "fleet").locator(f"[data-call='{call_id}']")


def hear_one(page: Page, earshot: Earshot) -> None:
    """Of calls in which people talk, and one that rings."""
    third = next(call["id"] for call in earshot.calls() if call["to"] == "+14155552702")
    speaks = re.compile("Customer speaks|Assistant speaks|Both speak")
    expect(card(page, third).locator(".pill")).to_have_text(speaks, timeout=PATIENCE)
    expect(card(page, third).locator("rect").first).to_be_attached(timeout=PATIENCE)
    expect(card(page, third).locator(".fleet-last q")).not_to_be_empty(timeout=PATIENCE)
    card(page, third).get_by_role("button", name="Listen").click()
    expect(card(page, third)).to_have_class(re.compile(r"\bheard\b"), timeout=PATIENCE)
    expect(part(page, "player-state")).to_have_attribute("data-state", "playing", timeout=PATIENCE)
    expect(part(page, "fleet").locator(".heard")).to_have_count(1)


def see_the_silent_call_first(page: Page, earshot: Earshot) -> None:
    """A call shown on the page, beside one that was placed before it."""
    silent = page.url.rpartition("=")[2]
    states.silence(page, earshot, silent)
    part(page, "view-fleet").click()
    expect(card(page, silent)).to_have_class(re.compile(r"\bneedy\b"), timeout=PATIENCE)
    expect(card(page, silent)).to_contain_text("Silent for")
    expect(part(page, "fleet").locator(".fleet-card").first).to_have_attribute("data-call", silent)
    expect(part(page, "view-fleet").get_by_role("img")).to_have_text("1")


def hear_it_by_a_key_and_end_it(page: Page, _earshot: Earshot) -> None:
    silent = page.url.rpartition("=")[2]
    page.locator("body").press("n")
    expect(card(page, silent)).to_have_class(re.compile(r"\bheard\b"), timeout=PATIENCE)
    part(page, "view-calls").click()
    states.end_measured(page)


def wait_for_words(page: Page, _earshot: Earshot) -> None:
    expect(page.locator(".fleet-last q").first).not_to_be_empty(timeout=PATIENCE)


HEARD: Mapping[str, Bring] = {"fleet": hear_one}
SILENT: Mapping[str, Bring] = {"in_trouble": see_the_silent_call_first, "measured": hear_it_by_a_key_and_end_it}
WALL: Mapping[str, Bring] = {"wall": wait_for_words}
LOOKED_AT = (HEARD, SILENT, WALL)
"""States that axe finds nothing to complain about in; `test_axe.py` has the others."""


def test_many_calls_are_a_grid_and_one_press_hears_one(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url, reduced_motion="reduce")
    fleet = part(page, "fleet")
    # whoever types keeps the page until the fleet is asked for
    part(page, "dial-number").press_sequentially("+1 415")
    calls = [*placed(earshot, 5), earshot.place(RINGS_LONG)["id"]]
    expect(part(page, "view-fleet")).to_contain_text("6", timeout=PATIENCE)
    expect(part(page, "dial-number")).to_be_visible()
    expect(fleet).to_have_count(0)
    part(page, "view-fleet").click()
    expect(fleet.get_by_role("heading")).to_contain_text("6 calls")
    expect(fleet.locator(".fleet-card")).to_have_count(6)
    expect(part(page, "dial-number")).to_be_hidden()
    part(page, "view-calls").click()
    expect(part(page, "dial-number")).to_have_value("+1 415")
    part(page, "view-fleet").click()
    # an ended call leaves, and the cards stay where the pointer is
    card(page, calls[0]).hover()
    earshot._ask("POST", f"/api/calls/{calls[3]}/end")
    expect(fleet.locator(".fleet-card")).to_have_count(5, timeout=PATIENCE)
    assert fleet.locator(".fleet-card").first.get_attribute("data-call") == calls[0]
    # one is heard, then another, then none
    assert complaints(page, earshot, HEARD) == []
    card(page, calls[4]).get_by_role("button", name="Listen").click()
    expect(card(page, calls[4])).to_have_class(re.compile(r"\bheard\b"), timeout=PATIENCE)
    expect(fleet.locator(".heard")).to_have_count(1)
    card(page, calls[4]).get_by_role("button", name="Listening").click()
    expect(fleet.locator(".heard")).to_have_count(0)
    # the name opens the call
    card(page, calls[1]).locator("button.fleet-name").click()
    expect(fleet).to_be_hidden()
    expect(page.locator(".who")).to_have_text("+1 415-555-2701")
    expect(part(page, "call-end")).to_be_visible()


def test_a_call_that_fell_silent_comes_first_and_a_key_hears_it(earshot: Earshot, open_tab: Open) -> None:
    placed(earshot, 1)
    page = open_tab(f"{earshot.url}/?call={earshot.place(next(NEVER_CALLED_BEFORE))['id']}", reduced_motion="reduce")
    assert complaints(page, earshot, SILENT) == []


def test_the_wall_has_room_for_fifty_without_controls_or_numbers_and_the_page_for_their_cards(open_tab: Open) -> None:
    with quiet_process(EARSHOT_CONCURRENT_CALLS="50", EARSHOT_MEASURE="on") as earshot:
        page = open_tab(f"{earshot.url}/wall", reduced_motion="reduce")
        cards = part(page, "fleet").locator(".fleet-card")
        shown = 0
        for more in (7, 12):
            calls = placed(earshot, more, shown)
            shown += more
            expect(cards).to_have_count(shown)
            for width, height in ((1280, 720), (1920, 1080)):
                page.set_viewport_size({"width": width, "height": height})
                expect(cards.last).to_be_in_viewport(ratio=1)
                if shown == 7:
                    for one in cards.all():
                        expect(one).to_be_in_viewport(ratio=1)
            if shown == 7:
                earshot.say(calls[0], "assistant", "Hi, this is Riley from Wellness Partners.")
                earshot.say(calls[1], "user", "Hello?")
                assert complaints(page, earshot, WALL) == []
        placed(earshot, 50 - shown, shown)
        page.set_viewport_size({"width": 1440, "height": 900})
        expect(cards).to_have_count(50)
        for call in earshot.calls():
            earshot.say(call["id"], "user", "I would like to move my appointment to Thursday afternoon, if that can be done at all.")
        expect(page.locator(".fleet-last q").filter(has_text="Thursday")).to_have_count(50)
        expect(page.get_by_role("button")).to_have_count(0)
        assert "555" not in page.inner_text("body")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("[...document.querySelectorAll('.fleet-name')].every((name) => name.scrollWidth <= name.clientWidth)")
        see_small_cards_say_everything_in_every_language(page, earshot)
        earshot.end_all()


def see_small_cards_say_everything_in_every_language(page: Page, earshot: Earshot) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(earshot.url)
    expect(part(page, "fleet").get_by_role("heading")).to_contain_text("50 calls")
    expect(part(page, "dial-number")).to_be_hidden()
    small = part(page, "fleet").locator(".fleet-card:has(.btn) .pill").first  # beside a button that has no words in any language
    expect(small).to_be_visible(timeout=PATIENCE)
    names = ("customer", "assistant", "both", "lost", "silent", "slow", "interrupted")
    cut = "(pill, texts) => texts.filter((text) => { pill.textContent = text; return pill.scrollWidth > pill.clientWidth; })"
    for language in languages():
        texts = [catalogue(language).say(f"fleet_{name}", seconds="120", count=4) for name in names]
        assert small.evaluate(cut, texts) == [], language
