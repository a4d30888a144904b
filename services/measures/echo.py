"""Recognises what returns of one channel in the other: its bands rise and fall as the other's did, softer and later."""

import numpy as np

from services.measures.bands import Floats

MOST_DELAY_FRAMES = 30  # 300 ms: a mobile's way there and back
_LEAST_FRAMES = 8  # less than 80 ms are alike by chance
_ALIKE = 0.8  # correlation; of two people who speak at once, hardly ever over 0.6
_LOUDEST = 0.06  # of the power, -12 dB
_MARGIN = 2.0  # of the power: an echo is not the same in all bands


class Echo:
    """The echo in one channel. `gain` is its power in that of the other channel `delay` frames before; 0 until there was one."""

    def __init__(self) -> None:
        self.gain = 0.0
        self.delay = 0

    def of(self, other: Floats, frames: int) -> Floats:
        """What the last `frames` of the other channel's powers make expect, at most."""
        end = len(other) - self.delay
        most = np.maximum(other[end - frames : end], other[end - frames - 1 : end - 1])
        if self.delay:
            np.maximum(most, other[end - frames + 1 : end + 1], out=most)
        most *= np.float32(_MARGIN * self.gain)
        return most

    def heard(self, own: Floats, other: Floats) -> bool:
        """Whether a run of this channel is an echo. Both arrays begin `MOST_DELAY_FRAMES` before it, frames x bands."""
        frames = len(own) - MOST_DELAY_FRAMES
        if frames < _LEAST_FRAMES or other.sum() * _LOUDEST < own[MOST_DELAY_FRAMES:].sum():
            return False
        run = np.sqrt(own[MOST_DELAY_FRAMES:])
        delayed = np.lib.stride_tricks.sliding_window_view(np.sqrt(other), frames, axis=0)  # the longest delay first
        products = np.einsum("dbf,fb->d", delayed, run)
        squares = np.einsum("dbf,dbf->d", delayed, delayed) + 1e-20
        alike = products / np.sqrt(squares * np.square(run).sum())
        best = int(alike.argmax())
        gain = float(products[best] / squares[best]) ** 2
        if alike[best] < _ALIKE or gain > _LOUDEST:
            return False
        self.gain, self.delay = gain, MOST_DELAY_FRAMES - best
        return True
