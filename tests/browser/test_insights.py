"""The insights page: numbers that lead to their calls, honest about few, and no weight on the page of calls."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from services.domain.alert import Alert
from services.domain.call import Call, CallStatus
from services.domain.rule import Rule, RuleKind, dumped
from services.journal import Journal
from services.journal.records import Counted
from tests.browser.conftest import Earshot, Open
from tests.browser.journals import earshot_with_journal
from tests.browser.test_axe import OF_COLOURS, violations
from tests.journals import last_march
from tests.patience import HANG_S

YEAR = last_march()
DAY = datetime(YEAR, 3, 10, 12, tzinfo=UTC)
MANY, FEW = 24, 3
REFUND = Rule(id="refund", kind=RuleKind.KEYWORD, phrase="refund", since=DAY)
SLOW = Rule(id="deleted", kind=RuleKind.SILENCE, above=8, since=DAY)
ADDRESS = f"/insights?from={YEAR}-03-09&to={YEAR}-03-11"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Earshot]:
    """An Earshot with calls of two assistants: many on one day, half of them answered, and a few on the next."""
    with earshot_with_journal(write, tmp_path_factory.mktemp("journal")) as earshot:
        yield earshot


async def write(journal: Journal) -> None:
    for number in range(MANY + FEW):
        many = number < MANY
        at = DAY + timedelta(minutes=number, days=0 if many else 1)
        answered = number % 2 == 0
        await journal.save(
            Call(
                id=f"call-{number}",
                status=CallStatus.ENDED,
                to=f"+1415555{2600 + number}",
                assistant_id="riley" if many else "sam",
                phone_number_id="main",
                created_at=at,
                started_at=at if answered else None,
                ended_at=at + timedelta(seconds=90),
                ended_reason="customer-ended-call" if answered else "customer-did-not-answer",
                cost=0.1,
            )
        )
        if answered and many:
            counted = Counted(response_ms=1240, interrupted=int(number == 0), barged_in=1)
            await journal.measures.save(f"call-{number}", "{}", brief="{}", counted=counted, over=True)
    for number, rule in ((0, REFUND), (2, REFUND), (2, SLOW), (MANY, REFUND)):
        await journal.alerts.add(Alert(call_id=f"call-{number}", rule=rule, at=DAY))
    await journal.change_state("rules", lambda _: dumped([REFUND]))


def rows(page: Page) -> list[str]:
    listed = page.locator(".part.past .row")
    return [str(row.get_attribute("data-call")) for row in listed.all()]


def test_numbers_bars_and_alerts_lead_to_their_calls_and_all_of_it_fits(kept: Earshot, open_tab: Open) -> None:
    page = open_tab(f"{kept.url}{ADDRESS}&compare=before", timezone_id="Europe/Berlin", color_scheme="light")
    see_the_numbers(page)
    see_it_fit_and_axe_content(page)
    sam = page.get_by_test_id("insights-by-assistant").get_by_role("link", name="sam")
    rules = page.get_by_test_id("insights-by-rule").locator("tbody tr")
    expect(rules).to_have_text(["Somebody says “refund”3 of 27", "Nobody speaks for more than 8.0 s1 of 27"])
    links = [str(link.get_attribute("href")) for link in (sam, rules.nth(0).get_by_role("link"), rules.nth(1).get_by_role("link"))]

    page.locator(".insights-days tbody tr").nth(1).get_by_role("link").click()
    expect(page.locator(".part.past .row")).to_have_count(FEW)
    assert sorted(rows(page)) == ["call-24", "call-25", "call-26"]
    expect(page.locator("input[name=from]")).to_have_value(f"{YEAR}-03-11")
    loaded = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert [name for name in loaded if "echart" in name or "insights" in name or "report.css" in name] == []

    page.emulate_media(color_scheme="dark")  # the charts take their colours when they are drawn
    page.go_back()
    see_it_fit_and_axe_content(page, *OF_COLOURS)
    chart = page.locator(".insights-chart").first
    expect(chart.locator("svg")).to_be_visible()
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    page.mouse.click(box["x"] + 48 + (box["width"] - 60) / 2, box["y"] + box["height"] - 28 - 12)  # the foot of the middle day's bar
    expect(page.locator("select[name=family]")).to_have_value("finished")
    expect(page.locator(".part.past .row")).to_have_count(MANY // 2)

    see_the_calls_of_an_assistant_or_a_rule(page, kept, *links)


def see_the_numbers(page: Page) -> None:
    totals = page.get_by_test_id("insights-totals")
    expect(totals).to_contain_text("27")
    expect(totals).to_contain_text("14 of 27")
    expect(totals).to_contain_text("52%")
    expect(totals).to_contain_text("$2.70")
    expect(totals).to_contain_text("Answers after1.2 s")
    expect(totals).to_contain_text("Interruptions per call1.1")
    expect(page.locator(".insights-chart svg")).to_have_count(9)
    page.locator(".insights-days summary").click()
    day = page.locator(".insights-days tbody tr")
    expect(day.nth(0)).to_have_text("Mar 102412 of 2450%18$2.401.2 s1.1")
    expect(day.nth(1)).to_have_text("Mar 1132 of 3–3$0.30––")


def see_it_fit_and_axe_content(page: Page, *only: str) -> None:
    expect(page.locator(".insights-chart svg").last).to_be_visible()
    if not page.locator(".insights-days tbody").is_visible():
        page.locator(".insights-days summary").click()
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert list(violations(page, *only)) == [], width
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


def see_the_calls_of_an_assistant_or_a_rule(page: Page, kept: Earshot, of_sam: str, of_refund: str, of_silence: str) -> None:
    page.goto(kept.url + of_refund)
    expect(page.locator(".part.past .row")).to_have_count(3)
    assert sorted(rows(page)) == ["call-0", "call-2", "call-24"]
    expect(page.locator(".only")).to_contain_text("Only calls with an alert: Somebody says “refund”")
    page.goto(kept.url + of_silence)
    expect(page.locator(".part.past .row")).to_have_count(1)
    expect(page.locator(".only")).to_contain_text("Only calls with an alert")
    page.get_by_test_id("all-calls").click()
    expect(page.locator(".part.past .row")).to_have_count(MANY + FEW)
    page.goto(kept.url + of_sam)
    expect(page.locator(".part.past .row")).to_have_count(FEW)
    expect(page.locator(".only")).to_contain_text("Only calls with sam")
    page.locator("select[name=family]").select_option("not-reached")
    expect(page.locator(".part.past .row")).to_have_count(1)
    page.get_by_test_id("all-calls").click()
    expect(page.locator(".part.past .row")).to_have_count(MANY // 2 + 1)


def test_a_browser_that_does_not_say_where_it_is_is_shown_days_of_utc(kept: Earshot, open_tab: Open, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere.js"
    nowhere.write_text("Intl.DateTimeFormat.prototype.resolvedOptions = () => ({ timeZone: new Promise(() => {}) })")
    page = open_tab(kept.url + ADDRESS, timezone_id="Asia/Tokyo", script=nowhere)
    expect(page.get_by_test_id("insights-totals")).to_contain_text("27", timeout=1000 * HANG_S)
    assert "zone=UTC" in str(page.get_by_role("link", name="Export").get_attribute("href"))


def test_two_assistants_and_two_weeks_are_compared_and_days_without_calls_say_so(kept: Earshot, open_tab: Open) -> None:
    page = open_tab(f"{kept.url}{ADDRESS}&assistant=riley&compare=sam", timezone_id="Europe/Berlin")
    compared = page.get_by_test_id("insights-compared").locator("tbody tr")
    expect(compared).to_have_text(["riley2412 of 2450%18$2.401.2 s1.1", "sam32 of 3–3$0.30––"])
    page.goto(f"{kept.url}/insights?from={YEAR}-03-11&to={YEAR}-03-11&compare=before")
    expect(compared).to_have_text(["Mar 1132 of 3–3$0.30––", "Mar 102412 of 2450%18$2.401.2 s1.1"])
    expect(page.locator(".insights")).to_contain_text("Rates need at least 20 outgoing calls")
    page.goto(f"{kept.url}/insights?from=2025-01-01&to=2025-01-02")
    expect(page.get_by_test_id("insights-none")).to_be_visible()
    expect(page.locator(".insights-chart")).to_have_count(0)
