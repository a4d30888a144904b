"""What the app has around the sound: a line that moves nothing, keys, the tab's title, and a window of its own."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Earshot, Open

SAY = """async ([state, missed]) => {
    const element = document.querySelector("[data-testid=player-state]").closest("[id^=c]");
    const player = getElement(Number(element.id.slice(1)));
    player.missed = missed ? { cause: "sleep", seconds: 55 } : null;
    await player.showState({ state, detail: "" });
}"""


def listening(page: Page) -> Page:
    page.get_by_test_id("dial-number").fill("+1 415 555 2671")
    page.get_by_test_id("dial-call").click()
    page.wait_for_selector('[data-testid="player-state"][data-state="playing"]')
    return page


@pytest.mark.parametrize("width", [1280, 1000, 820, 390])
def test_end_call_stays_where_it_is_whatever_the_line_about_the_sound_says(earshot: Earshot, open_tab: Open, width: int) -> None:
    page = listening(open_tab(earshot.url, viewport={"width": width, "height": 800}))
    end = page.get_by_test_id("call-end")
    before = end.bounding_box()
    for state in ("gap", "no-device", "reconnecting", "blocked", "failed", "expired"):
        for missed in (False, True):
            page.evaluate(SAY, [state, missed])
            page.wait_for_timeout(100)  # for the button's own change, which the server makes
            assert end.bounding_box() == before, (state, missed)


def test_keys_mute_and_set_the_volume_and_the_tab_says_what_is_heard(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    title = page.title()
    listening(page)
    page.locator("body").click(position={"x": 2, "y": 2})
    mutes, volumes = page.locator(".audio-player .mute"), page.locator(".audio-player .volume")
    mutes.first.click()
    for pressed in ("true", "false"):  # m mutes who can still be heard, and when nobody can, lets all be heard
        page.keyboard.press("m")
        for mute in mutes.all():
            expect(mute).to_have_attribute("aria-pressed", pressed)
    for key, volume in (("3", "0.3"), ("0", "1")):
        page.keyboard.press(key)
        for slider in volumes.all():
            expect(slider).to_have_value(volume)
    expect(page).to_have_title(re.compile(rf"Live \d:\d\d · \+1 415-555-2671 · {re.escape(title)}"))
    expect(page.locator(".lane.a .level")).to_have_text(re.compile(r"−\d+ dBFS"))
    page.get_by_test_id("listen-toggle").click()
    expect(page).to_have_title(re.compile(rf"Answered \d:\d\d · \+1 415-555-2671 · {re.escape(title)}"))


def test_the_player_floats_in_a_window_of_its_own_and_comes_back(earshot: Earshot, open_tab: Open) -> None:
    page = listening(open_tab(earshot.url))
    page.get_by_test_id("float").click()
    page.wait_for_function("documentPictureInPicture.window?.document.querySelector('[data-state=playing]')")
    expect(page.get_by_test_id("player-state")).to_have_count(0)
    page.wait_for_function("documentPictureInPicture.window.document.querySelector('.lane.a .level').textContent.endsWith('dBFS')")
    page.evaluate("documentPictureInPicture.window.close()")
    expect(page.get_by_test_id("player-state")).to_have_text("Live")
    expect(page.get_by_test_id("float")).to_be_visible()
