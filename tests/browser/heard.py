"""Judges what was heard of a call on the demo line."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.browser.plain_page.hearing import Sound, find
from tests.browser.plain_page.server import RATE, demo_call
from tests.browser.test_live_playout import assert_conserved

SENT: Sound = demo_call() / 32768
SECONDS = 14
SPOKEN = 3e-4  # mean square, -35 dBFS: what is quieter is as much noise as speech
PIECE_S = 0.1  # short, since the player trims its rate by up to 0.3 %
MOVED_S = 0.0025  # from one piece to the next: more than the trim, less than any pitch period that could be left out or repeated
CLOSE_S = 0.05  # longer than a splice or a fade takes
SURE = 0.95  # so like something that was said that it is this
FAR_S = 4  # as far as a disturbance moves the player within the conversation, besides the time for which it lasts
NEAR_S = 0.02  # where one side would be heard in the ear of the other


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was heard of a call, at the call's rate, when by the sound's clock, in seconds, and what the page reported meanwhile."""

    ears: Sound
    times: NDArray[np.float64]
    samples: list[dict[str, Any]]
    stats: dict[str, Any]

    @property
    def begun(self) -> int:
        """The first sample of speech. Before it there is only the ringing's silence."""
        return int(np.flatnonzero(np.abs(self.ears).max(axis=1) > 0.01)[0])

    def calm(self, begin: int, end: int) -> bool:
        """True if, between two samples of what was heard and close to them, the browser skipped nothing and the player only played."""
        close = round(CLOSE_S * RATE)
        if begin < close or end + close >= len(self.times):
            return False
        first, last = self.times[begin - close], self.times[end + close]
        before = [sample["marks"] for sample in self.samples if sample["timestamp"] <= first]
        after = [sample["marks"] for sample in self.samples if sample["timestamp"] >= last]
        whole = abs(last - first - (end - begin + 2 * close) / RATE) < 1 / RATE
        return bool(whole and before and after and before[-1] == after[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A tenth of a second: whether it is louder on the right, whether a part of it is missing,
    how like what its side said it is, and how much more than that like the other."""

    right: bool
    broken: bool
    own: float
    other: float


def assert_nothing_is_lost(run: Run) -> None:
    """What holds however busy the machine is: every sample is accounted for, and most of what is heard is what was said, in its own ear."""
    assert_conserved(run.stats)
    assert run.stats["samplesDiscarded"] == 0
    likeness = likenesses(run.ears[run.begun :])
    assert len(likeness) > SECONDS
    assert np.mean(np.array(likeness) > SURE) >= 0.6, likeness


def likenesses(heard: Sound) -> list[float]:
    """Of 20 ms of each quarter of a second in which somebody speaks: how like what was said next."""
    offset = first_offset(heard)
    likeness, sure = [], 0
    for begin in range(0, len(heard) - RATE // 50, RATE // 4):
        part = heard[begin : begin + RATE // 50]  # 20 ms, so that most hold no splice
        if np.abs(part).max() < 0.05:
            continue
        if begin + offset + len(part) + CLOSE_S * RATE >= len(SENT):
            break  # the conversation is over
        like, offset = followed(heard, begin, part, offset, FAR_S + (begin - sure) / RATE)
        likeness.append(like)
        if like > SURE:
            sure = begin
    return likeness


def first_offset(heard: Sound) -> int:
    """Samples between where something is in what was heard and where it was said, for the beginning. Found by the first quarter of a second
    that is surely part of the conversation, else by the one most like it. Two seconds at once would not do: with a stop in them they may be
    most like something that was said much later.
    """
    best, offset = 0.0, 0
    for begin in range(0, min(FAR_S * RATE, len(heard) - RATE // 4), RATE // 4):
        part = heard[begin : begin + RATE // 4]
        if np.square(part).mean() < SPOKEN:
            continue
        found, like = find(part, SENT[: 2 * SECONDS * RATE])
        if like > best:
            best, offset = like, found - begin
        if like > SURE:
            break
    return offset


def followed(heard: Sound, begin: int, part: Sound, offset: int, reach_s: float) -> tuple[float, int]:
    """How like what was said a part of what was heard is that begins there, and how far from there it was said: where the part before it
    was, else where, within reach, a quarter of a second is that begins or ends with it. By itself so short a part is like many others.
    """
    like, found = near(part, begin, offset)
    for around in (slice(begin, begin + RATE // 4), slice(max(0, begin + len(part) - RATE // 4), begin + len(part))):
        if like > SURE:
            break
        from_, said = surroundings(around.start + offset, RATE // 4, reach_s)
        place_, _ = find(heard[around], said)
        other, other_found = near(part, begin, from_ + place_ - around.start)
        if other > SURE:
            like, found = other, other_found
    return like, found if like > SURE else offset


def near(part: Sound, begin: int, offset: int) -> tuple[float, int]:
    from_, said = surroundings(begin + offset, len(part), CLOSE_S)
    if len(said) < len(part) + 2:
        return 0.0, offset
    found, like = find(part, said)
    return like, from_ + found - begin


def undisturbed(run: Run) -> list[Piece]:
    """The pieces of speech in which the page reported nothing. Each is compared with what was said right after the piece before it.

    Only where that was disturbed, the piece may be from anywhere nearby.
    """
    size = round(PIECE_S * RATE)
    begun = run.begun
    offset = first_offset(run.ears[begun:]) - begun
    pieces: list[Piece] = []
    known = False  # where in the conversation the piece before this one was
    sure = begun  # the last piece of which that is known
    for begin in range(begun, len(run.ears) - size, size):
        part = run.ears[begin : begin + size]
        if np.square(part).mean() < SPOKEN or not run.calm(begin, begin + size):
            known = False
            continue
        known = known and run.calm(begin - size, begin + size)
        from_, around = surroundings(begin + offset, size, MOVED_S if known else FAR_S + (begin - sure) / RATE)
        if len(around) < size + MOVED_S * RATE:
            break  # the conversation is over
        found, own = find(part, around)
        if known := known or own > SURE:  # else it may be like this by chance, and where the next one is would be wrong too
            offset, sure = from_ + found - begin, begin
        there = from_ + found
        said, nearby = SENT[there:][:size], surroundings(there, size, NEAR_S)[1]
        other = find(part[:, ::-1], nearby)[1] - find(said[:, ::-1], nearby)[1]  # where both speak, they are a little alike
        left, right = np.square(part).sum(axis=0)
        broken = has_hole(part, said)
        pieces.append(Piece(right=bool(right > left), broken=broken, own=own, other=other))
    return pieces


def surroundings(begin: int, size: int, reach_s: float) -> tuple[int, Sound]:
    """What was said from `reach_s` before to `reach_s` after, and where that begins."""
    from_ = max(0, begin - round(reach_s * RATE))
    return from_, SENT[from_ : begin + size + round(reach_s * RATE)]


def has_hole(heard: Sound, said: Sound) -> bool:
    """Whether there is nothing for 5 ms in which something was said aloud."""
    was, should = (np.square(sound).reshape(-1, RATE // 200, 2).mean(axis=(1, 2)) for sound in (heard, said))
    return bool(np.any((should > SPOKEN) & (was < 0.01 * should)))
