"""Finds in what a page played the sound that was sent. All at the page's own rate; arrays are samples, or samples x (left, right)."""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]


@dataclass(kw_only=True, slots=True)
class Heard:
    """What reached a page's loudspeakers, -1..1."""

    sound: Sound
    rate: int

    @classmethod
    def of(cls, tap: dict[str, Any]) -> "Heard":
        ears = [np.frombuffer(base64.b64decode(tap[ear]), np.float32) for ear in ("left", "right")]
        return cls(sound=np.stack(ears, axis=1).astype(np.float64), rate=int(tap["rate"]))

    def pauses(self, *, longer_than: float) -> list[tuple[int, int]]:
        """First and last sample of each silence in both ears of at least so many seconds; a dither is silence."""
        quiet = np.concatenate(([0], (np.abs(self.sound).max(axis=1) < 1e-4).astype(int), [0]))
        edges = np.flatnonzero(np.diff(quiet))
        return [(first, end) for first, end in zip(edges[::2], edges[1::2], strict=True) if end - first >= longer_than * self.rate]


def resampled(sound: NDArray[np.int16] | Sound, rate: int, new_rate: int) -> Sound:
    """Sound, 16-bit or -1..1, at another rate as floats, by its whole spectrum."""
    floats = sound / 32768 if sound.dtype == np.int16 else sound
    spectrum = np.fft.rfft(np.pad(floats, ((rate // 10, rate // 10), (0, 0))), axis=0)
    length = round((len(sound) + 2 * (rate // 10)) * new_rate / rate)
    margin = round((rate // 10) * new_rate / rate)
    return np.fft.irfft(spectrum, length, axis=0)[margin : length - margin] * new_rate / rate


def place(part: Sound, whole: Sound) -> int:
    """Where in `whole` (samples x 2) `part` lies best: the sample of `whole` at which `part` begins."""
    match = _matches(part, whole, len(part) + len(whole))
    best = int(np.argmax(match))
    return best if best < len(whole) else best - len(match)


def find(part: Sound, whole: Sound) -> tuple[int, float]:
    """Where in `whole` (samples x 2) a sound most like `part` lies, however loud, and how like it is: 1 the same, ear by ear."""
    match = _matches(part, whole, len(whole))  # what goes round the end is not looked at
    energy = np.concatenate(([0.0], np.cumsum(np.einsum("ij,ij->i", whole, whole))))
    there = energy[len(part) :] - energy[: -len(part)]
    likeness = match[: len(there)] / np.sqrt((there + 1e-6) * ((part**2).sum() + 1e-9))
    best = int(likeness.argmax())
    return best, float(likeness[best])


def _matches(part: Sound, whole: Sound, length: int) -> Sound:
    """The correlation of both ears for each place in `whole`, going round after at least `length` samples."""
    size = _quick_length(length)
    return np.fft.irfft((np.fft.rfft(whole, size, axis=0) * np.fft.rfft(part, size, axis=0).conj()).sum(axis=1), size)


def _quick_length(length: int) -> int:
    """The next even length without a large prime factor: a Fourier transform takes several times as long with one."""
    powers: list[int] = [3**threes * 5**fives for threes in range(4) for fives in range(4)]
    return min(power << max(1, (-(-length // power) - 1).bit_length()) for power in powers)


def difference(a: Sound, b: Sound, rate: int) -> float:
    """
    The largest difference between two sounds below 6 kHz, where the player's filter has no say. The part of a sample by which one is
    later, which a gap of any length may leave, is taken out first; 10 ms at either end, where that rings, are not looked at.
    """
    band = slice(1, round(6000 * len(a) / rate))
    one, other = np.fft.rfft(a, axis=0), np.fft.rfft(b, axis=0)
    turn = (other * one.conj())[band].sum(axis=1)
    step = np.arange(len(one))[band]
    slope = float((np.abs(turn) * step * np.angle(turn)).sum() / (np.abs(turn) * step**2).sum())
    left = one * np.exp(1j * slope * np.arange(len(one)))[:, None] - other
    left[band.stop :] = 0
    return float(np.abs(np.fft.irfft(left, len(a), axis=0))[rate // 100 : -rate // 100].max())


def correlation(a: Sound, b: Sound) -> float:
    """Pearson's, of two signals of one length."""
    return float(np.corrcoef(a, b)[0, 1])
