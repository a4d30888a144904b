"""The list of calls: found by keyboard alone, marked when they come, and the past a page at a time however long it is."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from services.domain.call import Call, CallStatus
from services.journal import Journal
from tests.browser.conftest import Earshot, Open, Quiet
from tests.browser.journals import earshot_with_journal
from tests.browser.test_page import PATIENCE, part
from tests.journals import last_march

YEAR = last_march()
DAY = datetime(YEAR, 3, 1, 12, tzinfo=UTC)
PAST = 75
CALLER = "+442079460958"


async def write(journal: Journal) -> None:
    for number in range(PAST):
        at = DAY + timedelta(minutes=number)
        busy = number == PAST - 1
        await journal.save(
            Call(
                id=f"past-{number}",
                status=CallStatus.ENDED,
                to=f"+1415555{2600 + number}",
                created_at=at,
                started_at=None if busy else at,
                ended_at=at + timedelta(seconds=75),
                ended_reason="customer-busy" if busy else "customer-ended-call",
                summary="They agreed on Thursday." if number == 10 else None,
            )
        )


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Earshot]:
    """An Earshot with calls of as many minutes, the last of which nobody answered."""
    with earshot_with_journal(write, tmp_path_factory.mktemp("journal")) as earshot:
        yield earshot


def rows(page: Page) -> Locator:
    return part(page, "call-log").locator(".row")


def test_the_past_is_read_a_page_at_a_time_searched_exported_and_opened(kept: Earshot, open_tab: Open) -> None:
    page = open_tab(kept.url)
    see_the_past_come_a_page_at_a_time(page)
    see_a_call_found_by_its_words_its_outcome_and_its_day_and_exported(page)
    see_a_past_call_opened_by_the_keyboard_alone(page)


def see_the_past_come_a_page_at_a_time(page: Page) -> None:
    more = page.get_by_role("button", name="Show more")
    for shown in (30, 60):
        expect(rows(page)).to_have_count(shown)
        more.click()
    expect(rows(page)).to_have_count(PAST)
    expect(more).to_be_hidden()


def see_a_call_found_by_its_words_its_outcome_and_its_day_and_exported(page: Page) -> None:
    search = page.get_by_role("searchbox")
    search.fill("thursday")
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_role("link", name="Export")).to_have_attribute("href", "/calls.csv?status=ended&search=thursday")
    with page.expect_download() as begun:  # what is exported is what was found
        page.get_by_role("link", name="Export").click()
    assert Path(begun.value.path()).read_text().count("+1415555") == 1
    search.fill("friday")
    expect(part(page, "call-log")).to_contain_text("No calls found")
    search.fill("")
    page.get_by_label("Outcome").select_option("Not reached")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("busy")
    page.get_by_label("Outcome").select_option("Any outcome")
    page.get_by_text("Dates").click()
    page.get_by_label("To", exact=True).fill(f"{YEAR}-02-28")
    expect(rows(page)).to_have_count(0)
    page.get_by_label("To", exact=True).fill(f"{YEAR}-03-02")
    expect(rows(page)).to_have_count(30)


def see_a_past_call_opened_by_the_keyboard_alone(page: Page) -> None:
    expect(rows(page)).to_have_count(30)
    rows(page).first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="+1 415-555-2673")).to_be_visible()
    expect(page.get_by_label("Call", exact=True)).to_contain_text("Duration1:15")
    expect(rows(page).nth(1)).to_have_attribute("aria-current", "true")
    expect(part(page, "transcript")).to_contain_text("This call has no transcript.")


def test_a_call_that_comes_in_is_marked_and_heard_with_enter(quiet: Quiet, open_tab: Open) -> None:
    page = open_tab(quiet.url)
    call_id = quiet.ring_in(CALLER)
    row = page.locator(f'[data-call="{call_id}"]')
    expect(row).to_contain_text("Inbound", timeout=PATIENCE)
    expect(row).to_contain_text("New")
    row.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="+44 20 7946 0958")).to_be_visible()
    expect(part(page, "listen-toggle")).to_have_text("Stop listening")
    expect(row).not_to_contain_text("New", timeout=PATIENCE)
