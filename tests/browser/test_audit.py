"""The page of the audit: who did what, by person and call, page by page, for owners alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from services.domain.call import Call, CallStatus
from services.journal import AuditRow, Journal
from tests.browser.conftest import Earshot, Open
from tests.browser.journals import earshot_with_journal
from tests.browser.test_axe import OF_COLOURS, violations
from tests.journals import last_march

DAY = datetime(last_march(), 3, 10, 12, tzinfo=UTC)
MANY = 60
_ENTRIES = "[data-testid=audit-entries] tbody tr"
_MORE_OF_THE_SAME = f"{_ENTRIES}:nth-child(n + 8)"
"""Entries of numbers that were blocked, of which a few are left to axe: with all 50 it takes nearly four times as long."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Earshot]:
    """An Earshot in which Ana has blocked many numbers, and then somebody called one and was refused another."""
    with earshot_with_journal(write, tmp_path_factory.mktemp("journal")) as earshot:
        yield earshot


async def write(journal: Journal) -> None:
    async def note(minutes: int, who: str, action: str, outcome: str, **more: str) -> None:
        await journal.note(AuditRow(at=DAY + timedelta(minutes=minutes), who=who, action=action, outcome=outcome, **more))

    for number in range(MANY):
        await note(number, "Ana", "block", "done", detail=f"+1415555{2600 + number}")
    await note(MANY, "page", "dial", "queued", call_id="call-1", to="+14155552671")
    await note(MANY + 1, "Ana", "say", "call_not_running", call_id="call-1", to="+14155552671", detail="<b>Hello</b>")
    await note(MANY + 2, "page", "login", "wrong_password", detail="192.0.2.7")
    await note(MANY + 3, "Ana", "fly-away", "airborne")  # of a newer version
    await journal.save(Call(id="call-1", status=CallStatus.ENDED, to="+14155552671", created_at=DAY, ended_at=DAY))


def test_the_audit_is_read_by_person_and_call_and_page_by_page_in_every_size(kept: Earshot, open_tab: Open) -> None:
    page = open_tab(kept.url)
    page.get_by_test_id("settings").click()
    expect(page.get_by_test_id("settings-audit")).to_be_visible()
    expect(page.get_by_test_id("settings-audit")).to_have_attribute("href", "/audit")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")  # the palette leads there too
    page.keyboard.type("who did what")
    page.keyboard.press("Enter")
    entries = page.locator(_ENTRIES)
    expect(entries).to_have_count(50)
    see_it_fit_and_axe_content(page)
    expect(entries.nth(0)).to_contain_text("fly-away")
    expect(entries.nth(1)).to_contain_text("Wrong password")
    expect(entries.nth(2)).to_contain_text("<b>Hello</b>")
    expect(entries.nth(2)).to_contain_text("+1 415-555-2671")
    expect(entries.nth(3).locator("b")).to_have_text("Call")
    page.get_by_test_id("audit-older").click()
    expect(entries).to_have_count(MANY + 4 - 50)
    expect(entries.last).to_contain_text("+14155552600")
    expect(page.get_by_test_id("audit-older")).to_have_count(0)
    page.get_by_test_id("audit-newest").click()
    expect(entries).to_have_count(50)
    entries.nth(3).get_by_role("link", name="Only this call").click()
    expect(entries).to_have_count(2)
    entries.nth(0).get_by_role("link", name="Ana").click()
    expect(entries).to_have_count(1)
    expect(page.get_by_label("Call ID")).to_have_value("call-1")
    with page.expect_download() as download:
        page.get_by_test_id("audit-csv").click()
    rows = download.value.path().read_text("utf-8-sig").splitlines()
    assert [row.split(",")[1:4] for row in rows] == [["who", "action", "callId"], ["Ana", "say", "call-1"]]
    page.get_by_test_id("audit-all").click()
    expect(entries).to_have_count(50)
    page.get_by_label("Person or token").fill("nobody")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_test_id("audit-none")).to_be_visible()
    href = page.get_by_test_id("audit-json").get_attribute("href")
    assert page.request.get(f"{kept.url}{href}").json() == {"entries": [], "next": None}


def see_it_fit_and_axe_content(page: Page) -> None:
    size = page.viewport_size
    assert size
    for width in (390, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        page.emulate_media(color_scheme="light")
        assert list(violations(page, but=_MORE_OF_THE_SAME)) == [], width
        page.emulate_media(color_scheme="dark")
        assert list(violations(page, *OF_COLOURS, but=_MORE_OF_THE_SAME)) == [], width
    page.set_viewport_size(size)
