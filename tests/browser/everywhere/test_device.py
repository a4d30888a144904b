"""A sound device that stands still, and a computer that sleeps: in every browser. What cannot be heard is counted and told."""

import time

from tests.browser.everywhere.judged import assert_heard, assert_told, missed
from tests.browser.everywhere.listener import NOTHING, Figures, Listener
from tests.browser.everywhere.sound_server import SoundServer
from tests.patience import HANG_S

AWAY_S = 4.5  # after more than 3 s the sound goes on live
NO_DEVICE, SLEPT = "there was no sound device", "this computer slept"


def test_after_a_device_stood_still_and_after_a_sleep_the_sound_is_live(listener: Listener, sound_server: SoundServer) -> None:
    """Both in one call, since it is the loading of the page and the dialling that take long."""
    listener.dial()
    listener.listen(1)
    with sound_server.suspended():
        listener.until_state("no-device")
        time.sleep(AWAY_S)
    after_standstill = listen_live_again(listener, NO_DEVICE, NOTHING)
    assert_heard(listener, after_standstill)
    listener.listen(1)  # so that something was heard before the sleep, however soon that comes

    # Its device sleeps too. After one that went on alone, WebKit's sound stayed away for another 2 s, twice in 20.
    with sound_server.suspended(), listener.browser.asleep():
        time.sleep(AWAY_S)
    listen_live_again(listener, SLEPT, after_standstill)
    listener.end()
    figures = listener.told()
    assert_told(listener, SLEPT, figures, after_standstill)
    assert_heard(listener, figures, after_standstill)


def listen_live_again(listener: Listener, why: str, before: Figures) -> Figures:
    """What came meanwhile is left out, and told: the more of it comes, the more."""
    give_up = time.monotonic() + HANG_S
    while (told := missed(listener, why)) <= 0.6 * AWAY_S:
        assert time.monotonic() < give_up, told
    return assert_told(listener, why, listener.listen(2), before)
