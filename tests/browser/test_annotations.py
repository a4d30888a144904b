"""Notes and tags on the page: written, shown in another tab, replayed from their moment, and gone when deleted."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Earshot, Open, Start
from tests.browser.states import PATIENCE, record
from tests.browser.test_page import NUMBER


def test_a_note_on_a_moment_leads_to_it_and_tags_and_a_disposition_fit_a_narrow_screen(earshot_with: Start, open_tab: Open) -> None:
    earshot = earshot_with(EARSHOT_DISPOSITIONS="sold, call again")
    call_id = str(earshot.place(NUMBER)["id"])
    page = open_tab(f"{earshot.url}/?call={call_id}")
    record(page, lines=2)  # seconds apart from the beginning
    see_a_note_on_a_moment_lead_to_it(page, earshot, open_tab, call_id)
    see_tags_and_a_disposition_on_a_narrow_screen(page, earshot, call_id)


def see_a_note_on_a_moment_lead_to_it(page: Page, earshot: Earshot, open_tab: Open, call_id: str) -> None:
    wave = page.get_by_test_id("replay-wave")
    wave.press("ArrowRight")
    expect(wave).not_to_have_attribute("aria-valuenow", "0")
    there = wave.get_attribute("aria-valuenow") or ""
    page.get_by_test_id("note-here").click()
    field = page.locator("input[name=note]")
    expect(field).to_be_focused()
    field.fill("Asks for <b>the price</b>")
    field.press("Enter")
    note = page.get_by_test_id("note")
    expect(note).to_contain_text("Asks for <b>the price</b>")
    expect(note).to_contain_text("someone on this page")
    (stored,) = earshot._ask("GET", f"/api/calls/{call_id}/notes")["notes"]
    moment = stored["t"]
    assert 0 < moment <= 5
    # Tenths of it are kept: a recording that ends at 1.46 s leads to its end from a note at 1.5 s, which the slider shows as 1.
    assert abs(moment - int(there)) <= 0.55
    wave.press("Home")
    expect(wave).to_have_attribute("aria-valuenow", "0")
    note.locator("a.moment").click()
    expect(wave).to_have_attribute("aria-valuenow", there)
    other = open_tab(earshot.url + stored["page"])
    expect(other.get_by_test_id("replay")).to_have_attribute("data-state", "paused", timeout=PATIENCE)
    expect(other.get_by_test_id("replay-wave")).to_have_attribute("aria-valuenow", there)
    other.locator("input[name=search]").fill("the price")
    expect(other.locator(f"[data-call='{call_id}']")).to_be_visible()
    note.get_by_role("button", name="Delete this note").click()
    expect(other.get_by_test_id("note")).to_have_count(0)
    other.close()


def see_tags_and_a_disposition_on_a_narrow_screen(page: Page, earshot: Earshot, call_id: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.locator("input[name=tag]").fill("a tag that is about as long as tags can be, fifty")
    page.get_by_test_id("tag-add").click()
    expect(page.locator(".tags li")).to_have_text("a tag that is about as long as tags can be, fifty")
    page.get_by_test_id("disposition").select_option("call again")
    page.locator("input[name=note]").fill("word" * 200)
    page.get_by_test_id("note-add").click()
    expect(page.get_by_test_id("note")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = earshot._ask("GET", f"/api/calls/{call_id}/notes")
    assert (found["disposition"]["text"], found["disposition"]["by"]) == ("call again", "page")
    page.reload()
    expect(page.get_by_test_id("disposition")).to_have_value("call again")
    page.locator(".tags").get_by_role("button").click()
    expect(page.locator(".tags li")).to_have_count(0)
