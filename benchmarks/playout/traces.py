"""When the frames of a live call arrive: seeded traces of typical networks, and the noise that is sent over them.

A trace holds for each 20 ms frame when it was complete (`produced`) and when it arrives, in ms from the beginning of capture. Each frame
draws its own delay; then TCP's order applies: a frame that is held up holds up all frames behind it.
"""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

RATE = 16000
FRAME = 20  # ms
Delays = NDArray[np.float64]


@dataclass(kw_only=True, slots=True)
class Trace:
    """`clock`: length of the sender's millisecond in ours."""

    name: str
    clock: float
    produced: list[float]
    arrive: list[float]

    @property
    def base(self) -> float:
        """The best one-way delay in ms."""
        return min(arrived - made for arrived, made in zip(self.arrive, self.produced, strict=True))

    def save(self, path: Path) -> None:
        """Writes the trace as JSON for `simulate.mjs`."""
        path.write_text(json.dumps(asdict(self) | {"frameMs": FRAME}))


def traces(seconds: int = 60, seed: int = 7) -> dict[str, Trace]:
    """One trace of each kind; another seed gives other traces of the same kinds."""
    count = seconds * 50

    def rng(kind: int) -> Generator:
        return default_rng(seed + kind)

    def lan(kind: int) -> Delays:
        return 10 + _lognormal(rng(kind), count, 0.8, 0.6)

    wifi, hol, lte = rng(1), rng(2), rng(3)
    stall = 15 + _lognormal(rng(4), count, 1.5, 0.6)
    stall[count // 3 : count // 3 + 100] += 2000 - FRAME * np.arange(100)
    return {
        "lan": _trace("lan", lan(0)),
        "wifi": _trace("wifi", 20 + _lognormal(wifi, count, 3, 0.9) + _stalls(wifi, count, 1 / 250, lambda r: r.uniform(40, 140))),
        "tcp_hol": _trace(
            "tcp_hol", 40 + _lognormal(hol, count, 4, 0.8) + _stalls(hol, count, 1 / 400, lambda r: min(900, 200 + r.exponential(120)))
        ),
        "lte": _trace("lte", 45 + _lognormal(lte, count, 9, 0.7) + _stalls(lte, count, 1 / 150, lambda r: r.uniform(60, 260))),
        "stall2s": _trace("stall2s", stall),
        "drift_slow": _trace("drift_slow", lan(5), clock=1 / (1 - 2e-3)),
        "drift_fast": _trace("drift_fast", lan(6), clock=1 / (1 + 2e-3)),
        "bundle100": _trace("bundle100", lan(7), bundle=5),
        "cellular": _trace("cellular", _cellular(rng(8), count)),
    }


def noise(seconds: int = 62, seed: int = 1) -> NDArray[np.int16]:
    """Noise from 200 to 3600 Hz, never silent, so that any 10 ms of it can be located."""
    spectrum = np.fft.rfft(default_rng(seed).standard_normal(seconds * RATE))
    hz = np.fft.rfftfreq(seconds * RATE, 1 / RATE)
    spectrum[(hz < 200) | (hz > 3600)] = 0
    sound = np.fft.irfft(spectrum, seconds * RATE)
    clipped: NDArray[np.int16] = np.clip(sound * (0.15 / sound.std()) * 32767, -32767, 32767).astype(np.int16)
    return clipped


def _trace(name: str, delays: Delays, *, clock: float = 1.0, bundle: int = 1) -> Trace:
    frames = np.arange(1, len(delays) + 1)
    sent = np.ceil(frames / bundle) * bundle * FRAME * clock
    arrive = np.maximum.accumulate(sent + delays)
    return Trace(name=name, clock=clock, produced=np.round(frames * FRAME * clock, 3).tolist(), arrive=np.round(arrive, 3).tolist())


def _lognormal(r: Generator, count: int, median: float, sigma: float) -> Delays:
    return median * np.exp(sigma * r.standard_normal(count))


def _stalls(r: Generator, count: int, often: float, lasting: Callable[[Generator], float]) -> Delays:
    """The delay that lost packets or radio gaps add: each holds all frames until it is over (Gilbert-Elliott model)."""
    added = np.zeros(count)
    k = 0
    while k < count:
        if r.random() < often:
            length = lasting(r)
            held = math.ceil(length / FRAME)
            for j in range(min(held, count - k)):
                added[k + j] = length - j * FRAME
            k += held
        k += 1
    return added


def _cellular(r: Generator, count: int) -> Delays:
    """A radio link whose rate drifts: a queue that fills and drains, scheduler grants every 8 ms, and occasional outages."""
    rate = np.exp(np.cumsum(r.normal(0, 0.12, count)) * 0.3)
    rate = np.clip(rate / np.median(rate), 0.25, 4) * 1.4  # frames per frame time; below 1 the queue grows
    queue = np.zeros(count)
    for k in range(1, count):
        queue[k] = min(15.0, max(0.0, queue[k - 1] + 1 - rate[k]))
    grants = r.uniform(0, 8, count)
    return 35 + grants + queue * FRAME + _stalls(r, count, 1 / 500, lambda r: min(1500, 80 * r.pareto(1.5) + 60))
