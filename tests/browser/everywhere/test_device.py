"""A computer that sleeps, and a sound device that stands still: in every browser. What cannot be heard is counted and told."""

import time

import pytest

from tests.browser.everywhere.judged import assert_heard, missed
from tests.browser.everywhere.listener import Listener
from tests.browser.everywhere.sound_server import SoundServer
from tests.patience import HANG_S

AWAY_S = 4.5  # after more than 3 s the sound goes on live
SHOWN_S = 0.06  # a sentence has one digit after the point


def assert_live_again(listener: Listener) -> None:
    """What came meanwhile is left out, and told: the more of it comes, the more."""
    give_up = time.monotonic() + HANG_S
    while (told := missed(listener)) <= 0.6 * AWAY_S:
        assert time.monotonic() < give_up, told
    listener.listen(2)
    listener.end()
    figures = listener.told()
    assert missed(listener) == pytest.approx(figures.left_out, abs=SHOWN_S)
    assert_heard(listener, figures)


def test_after_sleep_the_sound_is_live(listener: Listener) -> None:
    listener.dial()
    listener.listen(1)
    with listener.browser.asleep():
        time.sleep(AWAY_S)
    assert_live_again(listener)


def test_a_device_that_stood_still_is_named_and_the_sound_is_live_once_it_runs(listener: Listener, sound_server: SoundServer) -> None:
    listener.dial()
    listener.listen(1)
    with sound_server.suspended():
        listener.until_state("no-device")
        time.sleep(AWAY_S)
    assert_live_again(listener)
