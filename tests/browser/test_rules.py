"""The dialog of rules: one is written, tried against past calls, switched on, changed and deleted."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open, Quiet, quiet_process
from tests.browser.test_axe import violations
from tests.browser.test_page import part, until


@pytest.fixture
def earshot() -> Iterator[Quiet]:
    """One of its own: rules would stay for the other tests."""
    with quiet_process() as served:
        yield served
        served.end_all()


def opened(page: Page) -> Locator:
    dialog = part(page, "rules-dialog")
    expect(dialog).to_be_attached()  # it is built after the rest of the page
    part(page, "rules").click()
    expect(dialog).to_be_visible()
    return dialog


def write(dialog: Locator, phrase: str) -> None:
    dialog.locator("[name=phrase]").fill(phrase)
    dialog.locator("[name=speaker]").select_option("Assistant")


def test_a_rule_is_tried_before_it_is_switched_on(earshot: Quiet, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    dialog = opened(page)
    see_a_rule_tried_saved_changed_and_deleted(page, dialog, earshot)
    see_markup_shown_and_not_run_and_too_much_refused(page, dialog, earshot)


def see_a_rule_tried_saved_changed_and_deleted(page: Page, dialog: Locator, earshot: Quiet) -> None:
    expect(dialog).to_contain_text("No rules yet.")
    write(dialog, "appointments")
    part(page, "rule-try").click()
    expect(part(page, "rule-tried")).to_contain_text("There are no past calls")
    call = earshot.answered("+14155552700")
    earshot.say(call, "assistant", "Our team is calling to confirm your appointment.")
    until(lambda: any("appointment" in line["text"] for line in earshot._ask("GET", f"/api/calls/{call}/transcript")["lines"]))
    earshot.end_all()
    until(lambda: earshot._ask("POST", "/api/rules/try", {"kind": "keyword", "phrase": "x"})["judged"])  # once its transcript is stored
    expect(part(page, "rule-try")).to_be_enabled()
    part(page, "rule-try").click()
    expect(part(page, "rule-tried")).to_contain_text("1 of the last 1 calls would have given an alert. 1 of them has a transcript.")
    expect(part(page, "rule-tried").get_by_role("link")).to_have_attribute("href", f"/?call={call}")
    expect(part(page, "rule-tried").get_by_role("listitem")).to_contain_text("calling to confirm your appointment")
    assert list(violations(page)) == []
    part(page, "rule-save").click()
    expect(dialog).to_contain_text("Saved, and off: The assistant says “appointments”.")
    [made] = earshot._ask("GET", "/api/rules")["rules"]
    assert (made["phrase"], made["speaker"], made["on"]) == ("appointments", "assistant", False)
    dialog.get_by_role("switch").check()
    until(lambda: earshot._ask("GET", "/api/rules")["rules"][0]["on"])
    dialog.get_by_role("button", name="Change: The assistant says").click()
    dialog.locator("[name=kind]").select_option("nobody speaks for long")
    dialog.locator("[name=above]").fill("2")
    part(page, "rule-save").click()
    expect(dialog.locator("input[name=above]:invalid")).to_have_count(1)  # less than 3 s is no silence
    dialog.locator("[name=above]").fill("7.5")
    dialog.get_by_label("plays a sound").uncheck()
    part(page, "rule-save").click()
    expect(dialog).to_contain_text("Saved: Nobody speaks for more than 7.5 s.")
    [changed] = earshot._ask("GET", "/api/rules")["rules"]
    assert (changed["kind"], changed["above"], changed["on"], changed["id"]) == ("silence", 7.5, True, made["id"])
    assert "sound" not in changed["effects"]
    dialog.get_by_role("button", name="Delete: Nobody speaks").dblclick()  # one press
    dialog.get_by_role("button", name="Really delete").click()
    expect(dialog).to_contain_text("No rules yet.")
    assert earshot._ask("GET", "/api/rules")["rules"] == []


def see_markup_shown_and_not_run_and_too_much_refused(page: Page, dialog: Locator, earshot: Quiet) -> None:
    phrase = "<img src=x onerror=window.hacked=1>"
    write(dialog, phrase)
    part(page, "rule-save").click()
    expect(dialog.get_by_role("listitem")).to_contain_text(phrase)
    assert page.evaluate("window.hacked") is None
    dialog.locator("[name=phrase]").evaluate("(field) => field.removeAttribute('maxlength')")
    write(dialog, "x" * 10_000)
    part(page, "rule-save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("at most 100 characters")
    write(dialog, "?!")
    part(page, "rule-save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Write the word or phrase")
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    rules = earshot._ask("GET", "/api/rules")["rules"]
    assert [re.sub(r"\s", "", rule["phrase"]) for rule in rules] == [re.sub(r"\s", "", phrase)]
