"""Dial, hear, stop, hear again, end: in every browser, judged by what comes out of the sound device."""

import time

import numpy as np

from tests.browser.conftest import Earshot
from tests.browser.everywhere.driver import Driver
from tests.browser.everywhere.judged import assert_heard
from tests.browser.everywhere.listener import NOTHING, Listener
from tests.browser.everywhere.spoken import AUDIBLE

QUIET_S = 0.3  # from the press on a button until the last sound has left the device
# Which devices elements played through, and what the browser had the user pick.
_NOTED = """(() => {
    window.sinks = [];
    const set = HTMLMediaElement.prototype.setSinkId;
    HTMLMediaElement.prototype.setSinkId = function (id) {
        window.sinks.push(id);
        return set.call(this, id);
    };
    document.querySelector(".player-details").open = true;
    return true;
})()"""


def test_a_call_is_heard_in_both_ears_whenever_somebody_listens_until_it_is_ended(listener: Listener, talking: Earshot) -> None:
    listener.dial()
    figures = listener.listen(2)
    assert figures.left_out == 0
    assert_heard(listener, figures)

    listener.browser.click("listen-toggle")
    listener.until_state("stopped")
    assert_silent(listener, 1)
    assert [call["status"] for call in talking.calls()].count("in-progress") == 1

    before = len(listener.network.listenings)
    listener.browser.click("listen-toggle")
    listener.until_state("playing", "catching-up")
    figures = listener.listen(3)
    assert figures.left_out == 0
    heard = NOTHING
    if listener.browser.name == "firefox":  # Chromium plays through no element, but chooses by the context, and WebKitGTK not at all
        assert_heard(listener, figures)
        choose_a_device_and_the_system_s_own_again(listener)
        heard = figures
    listener.end()
    figures = listener.told(before)
    if heard is NOTHING:
        assert figures.left_out == 0
    assert_heard(listener, figures, heard)
    assert {call["status"] for call in talking.calls()} == {"ended"}
    assert_silent(listener, 0.3)


def assert_silent(listener: Listener, seconds: float) -> None:
    time.sleep(QUIET_S)
    listener.recorded()
    assert np.abs(listener.recorded(at_least=seconds)).max() < AUDIBLE


def choose_a_device_and_the_system_s_own_again(listener: Listener) -> None:
    """Through an `<audio>` element."""
    browser: Driver = listener.browser
    browser.run(_NOTED)
    browser.click("show-devices")
    browser.until("document.querySelector('[data-testid=\"output-device\"]')?.value")
    (picked,) = browser.until("window.sinks.length && window.sinks")
    assert picked
    listener.listen(3)
    browser.run("""(() => {
        const choice = document.querySelector('[data-testid="output-device"]');
        choice.value = "";
        choice.dispatchEvent(new Event("change"));
        return true;
    })()""")
    listener.listen(2)
