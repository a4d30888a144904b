"""Dial, hear, end: in every browser, judged by what comes out of the sound device."""

import time

import numpy as np

from tests.browser.conftest import Earshot
from tests.browser.everywhere.listener import Listener
from tests.browser.everywhere.spoken import AUDIBLE, LOUD, PART_S, spots


def test_a_call_is_dialled_heard_in_both_ears_and_ended(listener: Listener, talking: Earshot) -> None:
    listener.dial()
    listener.listen(5)
    listener.end()
    figures = listener.told()
    found = spots(listener.recorded())
    assert figures.left_out == 0
    # The rest are splices and dropouts, of which a busy machine makes many.
    assert len(found) * PART_S > 0.6 * LOUD * figures.sent
    assert [spot.said for spot in found] == sorted(spot.said for spot in found)
    own = np.array([min(spot.ears) for spot in found])
    assert np.mean(own > 0.5) > 0.9, own
    assert max(spot.swapped for spot in found) < 0.5
    assert [call["status"] for call in talking.calls()].count("ended") == len(talking.calls())
    time.sleep(0.3)
    assert np.abs(listener.recorded()[-1000:]).max(initial=0) < AUDIBLE
