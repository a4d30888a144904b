"""What the app has around the sound: a line that moves nothing, keys, the tab's title, and a window of its own."""

import re

from playwright.sync_api import expect

from services.domain.call import CallStatus
from tests.browser.conftest import Earshot, Open, Quiet
from tests.browser.test_page import NUMBER, part, see_status

SAY = """async ([state, missed]) => {
    const element = document.querySelector("[data-testid=player-state]").closest("[id^=c]");
    const player = getElement(Number(element.id.slice(1)));
    player.missed = missed ? { cause: "sleep", seconds: 55 } : null;
    await player.showState({ state, detail: "" });
}"""


def test_end_call_stays_where_it_is_whatever_the_line_about_the_sound_says(quiet: Quiet, open_tab: Open) -> None:
    page = open_tab(f"{quiet.url}/?call={quiet.answered(NUMBER)}")
    see_status(page, CallStatus.IN_PROGRESS)
    part(page, "listen-toggle").click()
    expect(part(page, "player-state")).to_have_attribute("data-state", "waiting")
    end = page.get_by_test_id("call-end")
    for width in (1280, 1000, 820, 390):
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate(SAY, ["playing", False])
        page.wait_for_timeout(100)  # for the button's own change, which the server makes
        before = end.bounding_box()
        assert before
        for state in ("gap", "no-device", "reconnecting", "blocked", "failed", "expired"):
            for missed in (False, True):
                page.evaluate(SAY, [state, missed])
                page.wait_for_timeout(100)
                assert end.bounding_box() == before, (width, state, missed)


def test_keys_set_the_volume_the_tab_says_what_is_heard_and_the_player_floats_in_its_own_window(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(f"{earshot.url}/?call={earshot.place(NUMBER)['id']}")
    part(page, "listen-toggle").click()
    page.wait_for_selector('[data-testid="player-state"][data-state="playing"]')
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
    expect(page).to_have_title(re.compile(r"^Live \d:\d\d · \+1 415-555-2671 · Earshot$"))
    expect(page.locator(".lane.a .level")).to_have_text(re.compile(r"−\d+ dBFS"))

    page.get_by_test_id("float").click()
    page.wait_for_function("documentPictureInPicture.window?.document.querySelector('[data-state=playing]')")
    expect(page.get_by_test_id("player-state")).to_have_count(0)
    page.wait_for_function("documentPictureInPicture.window.document.querySelector('.lane.a .level').textContent.endsWith('dBFS')")
    page.evaluate("documentPictureInPicture.window.close()")
    expect(page.get_by_test_id("player-state")).to_have_text("Live")
    expect(page.get_by_test_id("float")).to_be_visible()

    page.get_by_test_id("listen-toggle").click()
    expect(page).to_have_title(re.compile(r"^Answered \d:\d\d · \+1 415-555-2671 · Earshot$"))
