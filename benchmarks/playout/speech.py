"""How speech sounds while the player catches up after a stall: PESQ of the sound played, moved back to its times in the call."""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks.playout.analyse import resampled
from benchmarks.playout.traces import RATE
from tests.node import node_path

HERE = Path(__file__).parent
CALL = HERE.parent.parent / "assets" / "demo_call" / "demo_call.flac"
QUANTUM = 128
OUT = 48000
GRAIN_S = 0.03  # sound that is moved back as one piece
REACH_S = 0.012  # to either side, in which a grain is searched for


def measure() -> dict[str, Any]:
    """What `measure.mjs` measures, and `pesq`: the mean of both speakers, None if the package pesq is not installed."""
    said = soundfile.read(CALL, dtype="int16", always_2d=True)[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "call"
        path.write_bytes(said.tobytes())
        ran = subprocess.run([node_path(), HERE / "measure.mjs", path], capture_output=True, text=True, check=True)
        found: dict[str, Any] = json.loads(ran.stdout)
        heard = np.fromfile(f"{path}.heard", np.float32).reshape(-1, 2).astype(np.float64)
        places = np.fromfile(f"{path}.places")
    found["pesq"] = _pesq(said / 32768, heard, places)
    return found


def _pesq(said: NDArray[np.float64], heard: NDArray[np.float64], places: NDArray[np.float64]) -> float | None:
    try:
        from pesq import pesq  # type: ignore[import-not-found,import-untyped,unused-ignore]  # optional: it needs a compiler
    except ImportError:
        return None
    again = np.stack([_put_back(said[:, who], resampled(heard[:, who], OUT), places) for who in range(2)], axis=1)
    first, last = 14 * RATE, 26 * RATE  # from the stall until the player has caught up
    return float(
        np.mean([pesq(RATE, said[first:last, who].astype(np.float32), again[first:last, who].astype(np.float32), "wb") for who in range(2)])
    )


def _put_back(said: NDArray[np.float64], heard: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    One speaker's sound as played, cut into grains and overlap-added at each grain's time in the call. A grain's position is known only to
    about one pitch period, so it is shifted to where it correlates best with the original.
    """
    window = np.hanning(round(GRAIN_S * RATE))
    size, reach = len(window), round(REACH_S * RATE)
    sound, weight = np.zeros(len(said)), np.full(len(said), 1e-9)
    times = np.arange(1, len(places) + 1) * QUANTUM / OUT * RATE
    order = np.maximum.accumulate(places)
    for at in range(0, len(said) - size, size // 2):
        begin = round(float(np.interp(at, order, times)))
        around = heard[max(0, begin - reach) : begin + size + reach]
        if at > order[-1] - size or len(around) < size:
            break
        shapes = np.lib.stride_tricks.sliding_window_view(around, size)
        best = int(np.argmax(shapes @ said[at : at + size] / np.sqrt((shapes**2).sum(axis=1) + 1e-6)))
        sound[at : at + size] += shapes[best] * window
        weight[at : at + size] += window
    placed: NDArray[np.float64] = sound / weight
    return placed
