"""An alert of a rule, wherever somebody looks: on the page, as a notification, in the call, in its line, and in the fleet."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from services.domain.call import CallStatus
from tests.browser.conftest import Earshot, Open, Quiet, quiet_process
from tests.browser.test_axe import violations
from tests.browser.test_page import NUMBER, PATIENCE, part, see_status

GREETING = {"kind": "keyword", "phrase": "calls", "speaker": "assistant", "on": True}
SAID = "Hi, this is Riley. Our team calls to confirm your appointment."
NOTIFIES = """(permission) => {
  window.notified = [];
  window.Notification = class {
    static permission = permission;
    static async requestPermission() { return (this.permission = 'granted'); }
    constructor(title, options) { window.notified.push([title, options.body]); }
    close() {}
  };
  window.notes = 0;
  const { createOscillator } = AudioContext.prototype;
  AudioContext.prototype.createOscillator = function () { window.notes++; return createOscillator.call(this); };
}"""


@pytest.fixture(scope="module")
def served() -> Iterator[Quiet]:
    """One of its own: rules would stay for the other tests."""
    with quiet_process() as earshot:
        yield earshot


@pytest.fixture
def earshot(served: Quiet) -> Iterator[Quiet]:
    yield served
    served.end_all()
    for rule in served._ask("GET", "/api/rules")["rules"]:
        served._ask("PATCH", f"/api/rules/{rule['id']}", {"on": False})


def rule(earshot: Earshot, **given: Any) -> None:
    earshot._ask("POST", "/api/rules", GREETING | given)


def seen_to_notify(page: Page, permission: str) -> None:
    page.evaluate(NOTIFIES, permission)


def test_an_alert_is_seen_in_the_call_and_on_top_of_the_page_unless_its_rule_is_quiet(earshot: Quiet, open_tab: Open) -> None:
    rule(earshot)
    rule(earshot, phrase="<img src=x onerror=window.hacked=1>")
    call = earshot.answered(NUMBER)
    page = open_tab(f"{earshot.url}/?call={call}")
    seen_to_notify(page, "default")
    see_status(page, CallStatus.IN_PROGRESS)
    earshot.say(call, "assistant", SAID)
    raised = part(page, "raised").locator(".raised-alert")
    expect(raised).to_contain_text("“calls” was said", timeout=PATIENCE)
    expect(part(page, "alerts")).to_contain_text("“calls” was said")
    line = page.locator(".bubble", has_text="calls to confirm")
    expect(line.locator(".found")).to_have_text("calls")
    expect(page.locator(".found")).to_have_count(1)
    assert list(violations(page)) == []
    assert page.evaluate("window.notified") == []
    raised.get_by_role("button", name="Also notify me").click()
    expect(raised.get_by_role("button", name="Also notify me")).to_have_count(0)
    assert page.evaluate("window.notified") == [["“calls” was said", "+1 415-555-2671"]]
    assert page.evaluate("window.notes") == 2
    raised.get_by_role("button", name="Dismiss").click()
    expect(raised).to_have_count(0)

    # A quiet rule shows a badge and nothing else.
    rule(earshot, phrase="thursday", effects=["badge"])
    earshot.say(call, "assistant", "Does Thursday suit you?")
    expect(part(page, "alerts")).to_contain_text("“thursday” was said", timeout=PATIENCE)
    expect(page.locator(".bubble", has_text="Thursday")).to_be_visible()
    expect(raised).to_have_count(0)
    expect(page.locator(".found")).to_have_text(["calls"])
    assert page.evaluate("[window.notified.length, window.notes]") == [1, 2]

    page.reload()
    expect(part(page, "alerts")).to_contain_text("“calls” was said")
    expect(page.locator(".bubble .found")).to_have_text("calls")


def test_a_call_with_an_alert_comes_first_in_the_fleet_and_leads_there(earshot: Quiet, open_tab: Open) -> None:
    earshot.say(earshot.answered("+14155552700"), "assistant", SAID)
    page = open_tab(earshot.url)
    seen_to_notify(page, "granted")
    page.get_by_test_id("view-fleet").click()
    expect(part(page, "fleet").locator(".fleet-last q", has_text="confirm")).to_be_visible(timeout=PATIENCE)
    rule(earshot)
    call = earshot.answered("+14155552701")
    earshot.say(call, "assistant", SAID)
    first = part(page, "fleet").locator(".fleet-card").first
    expect(first).to_have_attribute("data-call", call, timeout=PATIENCE)
    expect(first.locator(".alerted")).to_have_text("“calls” was said", timeout=PATIENCE)
    expect(part(page, "view-fleet").get_by_role("img")).to_have_text("1")
    part(page, "raised").get_by_role("button", name="Show the call").click()
    expect(part(page, "fleet")).to_be_hidden()
    expect(page.locator(".who")).to_have_text("+1 415-555-2701")
