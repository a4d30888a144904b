"""Dictating into Say, and the owner's quick phrases. No browser recognises speech here, so the browser's part stands in."""

from pathlib import Path

from playwright.sync_api import expect

from services.domain.call import CallStatus
from tests.browser.conftest import Open, Quiet
from tests.browser.states import NEVER_CALLED_BEFORE
from tests.browser.test_page import NUMBER, dial, part, see_status

RECOGNITION = """
    window.recognitions = [];
    class SpeechRecognition {
        start() { window.recognitions.push(this); this.onstart(); }
        stop() { this.onend(); }
        abort() { this.aborted = true; this.onend(); }
        hear(...words) { this.onresult({ results: words.map((transcript) => [{ transcript }]) }); }
    }
    window.SpeechRecognition = window.webkitSpeechRecognition = SpeechRecognition;
"""
NONE = "delete window.SpeechRecognition; delete window.webkitSpeechRecognition;"


def written(folder: Path, script: str) -> Path:
    (folder / "first.js").write_text(script)
    return folder / "first.js"


def test_what_is_dictated_stands_in_the_field_and_is_sent_by_another_press(quiet: Quiet, open_tab: Open, tmp_path: Path) -> None:
    page = open_tab(f"{quiet.url}/?call={quiet.answered(NUMBER)}", locale="de", script=written(tmp_path, RECOGNITION))
    see_status(page, CallStatus.IN_PROGRESS)
    button = page.locator(".panel.say").get_by_test_id("dictate")
    field = part(page, "say-text")
    field.fill("Guten Tag.")
    button.dispatch_event("pointerdown", {"button": 0})
    expect(button).to_have_attribute("aria-pressed", "true")
    page.evaluate("recognitions[0].hear('wir melden', ' uns morgen')")
    expect(field).to_have_value("Guten Tag. wir melden uns morgen")
    button.dispatch_event("pointerup")
    expect(button).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("[recognitions.length, recognitions[0].lang]") == [1, "de"]
    expect(field).to_have_value("Guten Tag. wir melden uns morgen")
    button.focus()
    page.keyboard.down("Space")
    page.evaluate("recognitions[1].onerror({ error: 'not-allowed' })")
    expect(page.locator(".panel.say .dictation-says")).to_contain_text("Mikrofon")
    page.keyboard.up("Space")
    part(page, "say-send").click()
    expect(field).to_have_value("")


def test_the_owner_s_phrases_are_suggested_in_the_next_call_and_no_button_where_the_browser_recognises_no_speech(
    quiet: Quiet, open_tab: Open, tmp_path: Path
) -> None:
    page = open_tab(quiet.url, script=written(tmp_path, NONE))
    part(page, "settings").click()
    page.get_by_text("Quick phrases").click()
    part(page, "phrases-text").fill("One moment, please.\n<b>Thank you!</b>")
    part(page, "phrases-save").click()
    expect(part(page, "phrases-saved")).to_have_text("Saved.")
    page.keyboard.press("Escape")
    dial(page, next(NEVER_CALLED_BEFORE))
    see_status(page, CallStatus.IN_PROGRESS)
    suggested = page.locator(".panel.say datalist option")
    expect(part(page, "say-text")).to_be_enabled()
    expect(part(page, "dictate")).to_have_count(0)
    assert suggested.evaluate_all("options => options.map(option => option.value)") == ["One moment, please.", "<b>Thank you!</b>"]
    assert part(page, "say-text").evaluate("field => field.list.options.length") == 2
    part(page, "settings").click()
    part(page, "phrases-text").fill("")
    part(page, "phrases-save").click()
    expect(part(page, "phrases-saved")).to_have_text("Saved.")
