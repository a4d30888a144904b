"""The waveform of a recording: the highest level of each stretch of sound, from 0 to 255, for each channel."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

PEAKS_PER_SECOND = 20
_FRAMES = 65_536  # samples per channel read in one go
_MOST_PEAKS = 12_000  # per lane: ten minutes at the full rate; longer calls have fewer per second

Samples = NDArray[np.int16]


class Peaks:
    """Built from blocks of `samples x channels`. `total`: samples per channel."""

    def __init__(self, *, sample_rate: int, channels: int, total: int) -> None:
        self._window = max(sample_rate // PEAKS_PER_SECOND, -(-total // _MOST_PEAKS))
        self._highest = np.zeros((-(-total // self._window), channels), np.int32)
        self._at = 0
        self.per_second = sample_rate / self._window

    def add(self, block: Samples) -> None:
        """Takes in the next block."""
        before = self._at % self._window
        after = -(before + len(block)) % self._window
        levels = np.pad(np.abs(block.astype(np.int32)), ((before, after), (0, 0)))
        highest = levels.reshape(-1, self._window, block.shape[1]).max(axis=1)
        shown = self._highest[self._at // self._window :][: len(highest)]
        np.maximum(shown, highest[: len(shown)], out=shown)
        self._at += len(block)

    def levels(self) -> NDArray[np.uint8]:
        """Windows x channels."""
        return np.minimum(255, (self._highest * 255 + 16_384) // 32_768).astype(np.uint8)


def peaks_of_file(path: Path) -> tuple[float, Peaks]:
    """The duration in seconds and the peaks of a sound file. Blocking. Raises soundfile.LibsndfileError."""
    with soundfile.SoundFile(path) as sound:
        peaks = Peaks(sample_rate=sound.samplerate, channels=sound.channels, total=max(1, sound.frames))
        while len(block := sound.read(_FRAMES, dtype="int16", always_2d=True)):
            peaks.add(block)
        return round(sound.frames / sound.samplerate, 3), peaks
