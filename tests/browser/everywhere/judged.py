"""What a recording must hold however busy the machine is."""

import re
from itertools import pairwise

import numpy as np

from tests.browser.everywhere.listener import NOTHING, Figures, Listener
from tests.browser.everywhere.spoken import LOUD, PART_S, spots

_HOLE_S = 1.5
_FOUND = 0.3
SHOWN_S = 0.06  # a sentence has one digit after the point


def assert_heard(listener: Listener, figures: Figures, before: Figures = NOTHING) -> None:
    """What came out of the device is the call, each side in its own ear, in its order, and no more is missing than the page says.

    It is what was recorded since this was last asked, when the page said `before`. A busy machine makes splices and short dropouts, so much
    of it is found but not all, and holes of less than a pause and a bit are no loss: what the page counts is held to the sample elsewhere.
    """
    found = spots(listener.recorded())
    assert len(found) * PART_S > _FOUND * LOUD * (figures.heard - before.heard)
    own = np.array([min(spot.ears) for spot in found])
    assert np.mean(own > 0.5) > 0.9, own
    assert max(spot.swapped for spot in found) < 0.5
    said = [spot.said for spot in found]
    assert said == sorted(said)
    assert said[-1] - said[0] > figures.sent - before.sent - 2 * _HOLE_S, said
    holes = [later - earlier for earlier, later in pairwise(said)]
    assert max(holes) < figures.left_out - before.left_out + _HOLE_S


def missed(listener: Listener, why: str) -> float:
    """Seconds in the sentence that the page says about what could not be heard, once it says that it was for this reason."""
    listener.browser.until(f"document.querySelector('[data-testid=missed]')?.textContent.includes({why!r})")
    sentence = listener.browser.text("missed")
    found = re.match(rf"Missed ([\d.]+) s while {why}", sentence)
    assert found, sentence
    return float(found[1])


def assert_told(listener: Listener, why: str, figures: Figures, before: Figures = NOTHING) -> Figures:
    """The sentence says what was left out since the page said `before`; until now, since more may be while the page is asked. The figures
    of then."""
    told = missed(listener, why)
    now = listener.figures()
    assert figures.left_out - SHOWN_S < told + before.left_out < now.left_out + SHOWN_S
    return now
