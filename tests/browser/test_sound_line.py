"""The line about the sound, in the app: whatever it says, the button that ends the call stays where it is."""

import pytest

from tests.browser.conftest import Earshot, Open

SAY = """async ([state, missed]) => {
    const element = document.querySelector("[data-testid=player-state]").closest("[id^=c]");
    const player = getElement(Number(element.id.slice(1)));
    player.missed = missed ? { cause: "sleep", seconds: 55 } : null;
    await player.showState({ state, detail: "" });
}"""


@pytest.mark.parametrize("width", [1280, 1000, 820, 390])
def test_end_call_stays_where_it_is_whatever_the_line_about_the_sound_says(earshot: Earshot, open_tab: Open, width: int) -> None:
    page = open_tab(earshot.url, viewport={"width": width, "height": 800})
    page.get_by_test_id("dial-number").fill("+1 415 555 2671")
    page.get_by_test_id("dial-call").click()
    page.wait_for_selector('[data-testid="player-state"][data-state="playing"]')
    end = page.get_by_test_id("call-end")
    before = end.bounding_box()
    for state in ("gap", "no-device", "reconnecting", "blocked", "failed", "expired"):
        for missed in (False, True):
            page.evaluate(SAY, [state, missed])
            page.wait_for_timeout(100)  # for the button's own change, which the server makes
            assert end.bounding_box() == before, (state, missed)
