"""What is judged of a call is judged right, whatever the machine did to it."""

import numpy as np
import pytest

from tests.browser.heard import SENT, SURE, Run, likenesses, undisturbed
from tests.browser.plain_page.hearing import Sound
from tests.browser.plain_page.server import RATE

FIRST = int(np.flatnonzero(np.abs(SENT).max(axis=1) > 0.01)[0])
HEARD: Sound = SENT[FIRST : FIRST + 16 * RATE]
LATER = round(5.03 * RATE)  # in the middle of a word


def good(heard: Sound) -> float:
    return float(np.mean(np.array(likenesses(heard)) > SURE))


def skipped(seconds: float, at: int = LATER) -> Sound:
    return SENT[FIRST : FIRST + 20 * RATE][[*range(at), *range(at + round(seconds * RATE), 16 * RATE)]]


def calm_run(heard: Sound) -> Run:
    """One in which the page reports nothing."""
    times = np.arange(len(heard)) / RATE
    samples = [{"timestamp": time, "marks": [0]} for time in (0.0, times[-1])]
    return Run(ears=heard, times=times, samples=samples, stats={})


@pytest.mark.parametrize("seconds", [0.4, 1.3, 2.5, 3.9])
@pytest.mark.parametrize("at", [RATE // 3, 2 * RATE, LATER])
def test_what_was_left_out_loses_nobodys_way(seconds: float, at: int) -> None:
    heard = skipped(seconds, at)
    stood_still = np.insert(HEARD, at, np.zeros((round(seconds * RATE), 2)), axis=0)

    assert good(heard) > 0.9
    assert good(stood_still) > 0.9


@pytest.mark.parametrize(("at_s", "seconds"), [(0.2, 1.6), (0.2, 1.9), (1, 0.8), (5, 6)])
def test_a_stop_loses_nobodys_way(at_s: float, seconds: float) -> None:
    """In sound that begins within the conversation: the first two seconds with a stop in them are most like something else."""
    heard = np.insert(HEARD[round(0.4 * RATE) :], round(at_s * RATE), np.zeros((round(seconds * RATE), 2)), axis=0)

    assert good(heard) > 0.9
    assert np.median([piece.own for piece in undisturbed(calm_run(heard))]) > SURE


def test_a_choppy_beginning_loses_nobodys_way() -> None:
    begun, rest = np.split(HEARD, [2 * RATE])
    played = [part for word in np.array_split(begun, 16) for part in (word, np.zeros((RATE // 25, 2)))]

    assert good(np.concatenate([*played, rest])) > 0.9


def test_what_was_not_said_is_not_found() -> None:
    heard = HEARD[: 6 * RATE]  # what is not found is looked for in all that was said
    parts = np.split(heard, len(heard) // 160)  # 10 ms each
    mixed = np.concatenate([part for pair in zip(parts[1::2], parts[::2], strict=True) for part in pair])

    assert good(HEARD) == 1
    assert good(heard[:, ::-1]) < 0.1
    assert good(mixed) < 0.1
    assert good(np.clip(heard * 8, -0.3, 0.3)) < 0.6


@pytest.mark.parametrize("seconds", [0.05, 0.3, 1.3])
def test_what_is_missing_without_a_word_is_found(seconds: float) -> None:
    """Also if it begins or ends within a piece."""
    assert min(piece.own for piece in undisturbed(calm_run(HEARD))) > SURE
    for at in range(LATER, LATER + RATE // 10, RATE // 40):
        pieces = undisturbed(calm_run(skipped(seconds, at)))
        assert min(piece.own for piece in pieces) < 0.5 or any(piece.broken for piece in pieces)


def test_a_piece_that_is_like_nothing_does_not_lead_the_next_astray() -> None:
    """It is the first after a disturbance, so that it is looked for everywhere, and most like something else."""
    heard = HEARD.copy()
    begin = round(3.7 * RATE)  # of a piece, one of a word
    piece = slice(begin, begin + RATE // 10)
    heard[piece] = HEARD[begin + 2 * RATE :][: RATE // 10] + 0.3 * HEARD[piece]
    run = calm_run(heard)
    disturbed = run.times[begin] - 0.06
    run.samples.insert(1, {"timestamp": disturbed, "marks": [0]})
    run.samples.insert(2, {"timestamp": disturbed + 0.001, "marks": [1]})
    run.samples[-1]["marks"] = [1]

    assert [round(found.own, 2) for found in undisturbed(run) if found.own < SURE] == [0.93]
