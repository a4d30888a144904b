"""What a recording must hold however busy the machine is."""

import re
from itertools import pairwise

import numpy as np

from tests.browser.everywhere.listener import Figures, Listener
from tests.browser.everywhere.spoken import LOUD, PART_S, spots

_HOLE_S = 1.5
_FOUND = 0.3


def assert_heard(listener: Listener, figures: Figures) -> None:
    """What came out of the device is the call, each side in its own ear, in its order, and no more is missing than the page says.

    A busy machine makes splices and short dropouts, so much of it is found but not all, and holes of less than a pause and a bit are no
    loss: what the page counts is held to the sample elsewhere.
    """
    found = spots(listener.recorded())
    assert len(found) * PART_S > _FOUND * LOUD * figures.heard
    own = np.array([min(spot.ears) for spot in found])
    assert np.mean(own > 0.5) > 0.9, own
    assert max(spot.swapped for spot in found) < 0.5
    said = [spot.said for spot in found]
    assert said == sorted(said)
    assert said[-1] - said[0] > figures.sent - 2 * _HOLE_S
    assert max(after - before for before, after in pairwise(said)) < figures.left_out + _HOLE_S


def missed(listener: Listener) -> float:
    """Seconds in the sentence that the page says about what could not be heard, once it says it."""
    listener.browser.until("document.querySelector('[data-testid=missed]') !== null")
    sentence = listener.browser.text("missed")
    found = re.match(r"Missed ([\d.]+) s while ", sentence)
    assert found, sentence
    return float(found[1])
