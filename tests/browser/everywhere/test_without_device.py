"""A sound device that goes away, in every browser. Run last, by the name of this file: the browser is started again for each test after."""

import time

import pytest

from tests.browser.conftest import Earshot
from tests.browser.everywhere.judged import SHOWN_S, missed
from tests.browser.everywhere.listener import Listener
from tests.browser.everywhere.sound_server import SoundServer
from tests.browser.everywhere.spoken import spots
from tests.browser.everywhere.test_device import AWAY_S, NO_DEVICE
from tests.browser.everywhere.webkit import WebKit
from tests.patience import HANG_S


def test_the_sound_comes_back_after_the_sound_server_died_and_a_call_can_be_ended_meanwhile(
    listener: Listener, sound_server: SoundServer, talking: Earshot
) -> None:
    listener.dial()
    listener.listen(1)
    lose_the_device(listener, sound_server)
    time.sleep(AWAY_S)
    assert listener.browser.attribute("player-state", "data-state") == "no-device"  # for as long as there is none
    told = listener.browser.text("player-state")
    webkit = listener.browser if isinstance(listener.browser, WebKit) else None
    assert ("open Earshot in a new window" in told) == bool(webkit)
    if not webkit:
        sound_server.start()
        listener.recorded()  # what was before
        hear_what_comes_back(listener)
        lose_the_device(listener, sound_server)

    listener.browser.click("call-end")
    give_up = time.monotonic() + HANG_S
    while {call["status"] for call in talking.calls()} != {"ended"}:
        assert time.monotonic() < give_up
        time.sleep(0.2)

    if webkit:
        sound_server.start()
        listener.recorded()  # what was before
        webkit.open_window()
        listener.dial()
        listener.listen(2)
        assert spots(listener.recorded())


def hear_what_comes_back(listener: Listener) -> None:
    listener.until_state("playing", "catching-up")
    listener.listen(2)
    was_missed = missed(listener, NO_DEVICE)
    assert was_missed > 0.6 * AWAY_S
    listener.network.hold()
    listener.until_state("gap", "reconnecting")  # so that all that came was played
    figures = listener.told()
    listener.network.release()
    assert figures.left_out == pytest.approx(was_missed, abs=SHOWN_S)


def lose_the_device(listener: Listener, sound_server: SoundServer) -> None:
    assert spots(listener.recorded()), "it never played on this device, so it can't miss it"
    sound_server.kill()
    listener.until_state("no-device")
