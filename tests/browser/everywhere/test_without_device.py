"""A sound device that goes away, in every browser. Run last, by the name of this file: the browser is started again for each test after."""

import time

import pytest

from tests.browser.conftest import Earshot
from tests.browser.everywhere.judged import missed
from tests.browser.everywhere.listener import Listener
from tests.browser.everywhere.sound_server import SoundServer
from tests.browser.everywhere.spoken import spots
from tests.browser.everywhere.test_device import AWAY_S, SHOWN_S
from tests.browser.everywhere.webkit import WebKit
from tests.patience import HANG_S


def test_the_sound_comes_back_after_the_sound_server_died(listener: Listener, sound_server: SoundServer) -> None:
    listener.dial()
    listener.listen(1)
    assert spots(listener.recorded()), "it never played on this device, so it can't miss it"
    sound_server.kill()
    listener.until_state("no-device")
    time.sleep(AWAY_S)
    assert listener.browser.attribute("player-state", "data-state") == "no-device"  # for as long as there is none
    told = listener.browser.text("player-state")
    sound_server.start()
    listener.recorded()  # what was before
    webkit = listener.browser if isinstance(listener.browser, WebKit) else None
    assert ("open Earshot in a new window" in told) == bool(webkit)
    if webkit:
        webkit.open_window()
        listener.dial()
        listener.listen(2)
        assert spots(listener.recorded())
        return
    listener.until_state("playing", "catching-up")
    listener.listen(2)
    was_missed = missed(listener)
    assert was_missed > 0.6 * AWAY_S
    listener.end()
    figures = listener.told()
    assert figures.left_out == pytest.approx(was_missed, abs=SHOWN_S)
    assert spots(listener.recorded())


def test_a_call_can_be_ended_while_there_is_no_sound_device(listener: Listener, sound_server: SoundServer, talking: Earshot) -> None:
    listener.dial()
    listener.listen(1)
    assert spots(listener.recorded()), "it never played on this device, so it can't miss it"
    sound_server.kill()
    listener.until_state("no-device")
    listener.browser.click("call-end")
    give_up = time.monotonic() + HANG_S
    while {call["status"] for call in talking.calls()} != {"ended"}:
        assert time.monotonic() < give_up
        time.sleep(0.2)
