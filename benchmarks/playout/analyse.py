"""Finds which sound of the source a page played in every 10 ms: from that come delay, dropouts, losses and splices."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.playout.live import Recording
from benchmarks.playout.traces import FRAME, RATE, noise

BLOCK = RATE // 100
LIKE = 0.8  # correlation from which a block counts as found in the source
LEFT_OUT_MS = 2000.0  # the beginning, which is not measured
QUIET = 0.1  # of the source's constant level: anything quieter counts as a dropout, comfort noise included
Array = NDArray[np.float64]


@dataclass(kw_only=True, slots=True)
class Figures:
    """Delays in ms from capture to rendering, above the trace's best one-way delay; `cost` is J."""

    mean: float
    start: float
    end: float
    p99: float
    dropped: float
    drops: int
    lost: float
    splices: int
    recovery: float | None
    first_sound: float
    cost: float


def analyse(recording: Recording) -> Figures:
    """All figures of one recording. Raises ValueError if it holds nothing of the call."""
    trace = recording.trace
    total = len(trace.arrive) * RATE * FRAME // 1000
    source = noise(total // RATE + 1, 1)[:total] / 32768
    heard = resampled(recording.sound[:, 0], recording.rate)
    found = _locate(heard, source)
    known = found >= 0
    if not known.any():
        raise ValueError("the recording holds nothing of the call")
    blocks = np.arange(len(found))
    rendered = _clock(recording)((blocks + 0.5) * BLOCK / RATE * recording.rate)
    captured = (found + BLOCK / 2) / RATE * 1000 * trace.clock
    base = float((recording.arrivals - np.array(trace.produced)[: len(recording.arrivals)]).min())
    delay = rendered - captured - base
    first, last = blocks[known][0], blocks[known][-1]
    measured = known & (rendered > LEFT_OUT_MS)
    delays = delay[measured]
    seconds = (rendered[last] - LEFT_OUT_MS) / 1000
    from_block = max(first, int(np.searchsorted(rendered, LEFT_OUT_MS)))
    lengths = _runs(_silences(heard, source)[from_block * BLOCK : last * BLOCK])
    lengths = lengths[lengths >= RATE // 1000]
    dropped = float(lengths.sum()) / RATE * 1000
    steps = np.diff(found[known]) / BLOCK
    neighbours = np.diff(blocks[known]) == 1
    settled = rendered[known][1:] > LEFT_OUT_MS
    return Figures(
        mean=float(delays.mean()),
        start=float(np.median(delays[:400])),
        end=float(np.median(delays[-500:-50])),
        p99=float(np.percentile(delays, 99)),
        dropped=dropped,
        drops=len(lengths),
        lost=_lost(found[known], total),
        splices=int(((np.abs(steps - 1) > 0.25) & neighbours & settled).sum()),
        recovery=_recovery(recording, rendered[known], delay[known]) if trace.name == "stall2s" else None,
        first_sound=float(rendered[first] - BLOCK / RATE * 500 - recording.arrivals[0]),
        cost=float(delays.mean() + 20 * dropped / seconds),
    )


def resampled(sound: Array, rate: int) -> Array:
    """`sound` at 16 kHz, resampled through its whole spectrum."""
    length = round(len(sound) * RATE / rate)
    return np.fft.irfft(np.fft.rfft(sound)[: length // 2 + 1], length) * (length / len(sound))


def _locate(heard: Array, source: Array) -> NDArray[np.int64]:
    """For each block of `heard`, the index in `source` where it begins; -1 where it is not found."""
    count = len(heard) // BLOCK
    found = np.full(count, -1)
    level = np.sqrt((heard[: count * BLOCK].reshape(count, BLOCK) ** 2).mean(axis=1))
    energy = np.concatenate(([0.0], np.cumsum(source**2)))
    expected = 0
    for k in range(count):
        block = heard[k * BLOCK : (k + 1) * BLOCK]
        if level[k] < 1e-3:
            continue
        at, likeness = _best(block, source, energy, max(0, expected - 2), expected + 3)
        if likeness < 0.9:
            wide = _best(block, source, energy, max(0, expected - RATE // 2), expected + 4 * RATE)
            at, likeness = max((at, likeness), wide, key=lambda pair: pair[1])
        if likeness > LIKE:
            found[k] = at
            expected = at + BLOCK
    return found


def _best(block: Array, source: Array, energy: Array, low: int, high: int) -> tuple[int, float]:
    """The index in `low`..`high` at which `source` correlates best with `block`, and that correlation."""
    high = min(high, len(source) - BLOCK + 1)
    if high <= low:
        return -1, -1.0
    stretch = source[low : high + BLOCK - 1]
    if high - low < 16:
        match = np.correlate(stretch, block, "valid")
    else:
        size = 1 << (len(stretch) + BLOCK).bit_length()
        match = np.fft.irfft(np.fft.rfft(stretch, size) * np.fft.rfft(block, size).conj(), size)[: high - low]
    likeness = match / np.sqrt((energy[low + BLOCK : high + BLOCK] - energy[low:high]) * float(block @ block) + 1e-12)
    best = int(likeness.argmax())
    return low + best, float(likeness[best])


def _clock(recording: Recording) -> Callable[[Array], Array]:
    """Maps samples of the recording to wall time, by the lower envelope of the noted times: a quantum is noted late, never early."""
    rate = recording.rate
    index = 128.0 * np.arange(len(recording.times))  # not the context's own frame numbers: a browser under load skips some
    offset = recording.times - index / rate * 1000
    width = max(1, rate // 128)
    whole = len(offset) // width * width
    middle = index[:whole].reshape(-1, width)[:, width // 2]
    lowest = offset[:whole].reshape(-1, width).min(axis=1)
    return lambda at: np.interp(at, middle, lowest) + at / rate * 1000


def _silences(heard: Array, source: Array) -> NDArray[np.bool_]:
    """True for samples around which 2 ms are far below the source's level. A 10 ms block would hide such short gaps."""
    width = RATE // 500
    power = np.convolve(heard**2, np.ones(width) / width, "same")
    quiet: NDArray[np.bool_] = power < (QUIET * float(np.sqrt((source**2).mean()))) ** 2
    return quiet


def _runs(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    edges = np.diff(np.concatenate(([0], flags.astype(np.int8), [0])))
    return np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)


def _lost(found: NDArray[np.int64], total: int) -> float:
    """Ms of the call that were never played, between the first and the last sound played. Counts holes of 20 ms and more: a shorter one
    is a pitch period that the player cut to catch up."""
    covered = np.zeros(total, bool)
    for at in found:
        covered[at : at + BLOCK] = True
    holes = _runs(~covered[found[0] : found.max() + BLOCK])
    return float(holes[holes >= RATE // 50].sum()) / RATE * 1000


def _recovery(recording: Recording, rendered: Array, delay: Array) -> float:
    """Seconds from the end of the stall until the delay stays within 60 ms of what it was before."""
    third = len(recording.arrivals) // 3
    over = recording.arrivals[third + 100]
    before = float(np.median(delay[(rendered > LEFT_OUT_MS) & (rendered < recording.arrivals[third - 50])]))
    late = np.flatnonzero((rendered > over) & (delay > before + 60))
    return float(rendered[late[-1]] - over) / 1000 if len(late) else 0.0
