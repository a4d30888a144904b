"""Dial, hear, stop, end: in every browser, judged by what comes out of the sound device."""

import time

import numpy as np

from tests.browser.conftest import Earshot
from tests.browser.everywhere.judged import assert_heard
from tests.browser.everywhere.listener import Listener
from tests.browser.everywhere.spoken import AUDIBLE

QUIET_S = 0.3  # from the press on a button until the last sound has left the device


def assert_silent(listener: Listener, seconds: float) -> None:
    time.sleep(QUIET_S)
    listener.recorded()
    assert np.abs(listener.recorded(at_least=seconds)).max() < AUDIBLE


def test_a_call_is_dialled_heard_in_both_ears_and_ended(listener: Listener, talking: Earshot) -> None:
    listener.dial()
    listener.listen(4)
    listener.end()
    figures = listener.told()
    assert figures.left_out == 0
    assert_heard(listener, figures)
    assert {call["status"] for call in talking.calls()} == {"ended"}
    assert_silent(listener, 0.3)


def test_who_stops_listening_hears_nothing_until_they_listen_again(listener: Listener, talking: Earshot) -> None:
    listener.dial()
    listener.listen(1)
    listener.browser.click("listen-toggle")
    listener.until_state("stopped")
    assert_silent(listener, 1)
    assert [call["status"] for call in talking.calls()].count("in-progress") == 1
    before = len(listener.network.listenings)
    listener.browser.click("listen-toggle")
    listener.until_state("playing", "catching-up")
    listener.listen(3)
    listener.end()
    figures = listener.told(before)
    assert figures.left_out == 0
    assert_heard(listener, figures)
