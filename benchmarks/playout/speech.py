"""How speech sounds while a stall is made good: PESQ of what was heard, put back to the times that it has in the call."""

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

HERE = Path(__file__).parent
CALL = HERE.parent.parent / "assets" / "demo_call" / "demo_call.flac"
QUANTUM = 128
OUT = 48000
GRAIN = 0.03  # seconds of what was heard that are put back at once
REACH = 0.012  # seconds to either side in which a grain is looked for


def measure() -> dict[str, Any]:
    """Everything that `measure.mjs` measures, and `pesq`: the mean of both speakers, or None where the package pesq is not installed."""
    said = soundfile.read(CALL, dtype="int16", always_2d=True)[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "call"
        path.write_bytes(said.tobytes())
        ran = subprocess.run(["node", HERE / "measure.mjs", path], capture_output=True, text=True, check=True)
        found: dict[str, Any] = json.loads(ran.stdout)
        heard = np.fromfile(f"{path}.heard", np.float32).reshape(-1, 2).astype(np.float64)
        places = np.fromfile(f"{path}.places")
    found["pesq"] = _pesq(said / 32768, heard, places)
    return found


def _pesq(said: NDArray[np.float64], heard: NDArray[np.float64], places: NDArray[np.float64]) -> float | None:
    try:
        from pesq import pesq  # type: ignore[import-not-found,import-untyped,unused-ignore]  # optional, since it has to be compiled
    except ImportError:
        return None
    again = np.stack([_put_back(said[:, who], resampled(heard[:, who], OUT), places) for who in range(2)], axis=1)
    first, last = 14 * RATE, 26 * RATE  # from the stall on, for as long as it is made good
    return float(
        np.mean([pesq(RATE, said[first:last, who].astype(np.float32), again[first:last, who].astype(np.float32), "wb") for who in range(2)])
    )


def _put_back(said: NDArray[np.float64], heard: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Grains of what was heard of one speaker, each at the time that it has in the call, over each other where the call was played faster.
    Where a grain was heard is known to about a period; of that, the shift with which it is most like what was said is taken.
    """
    window = np.hanning(round(GRAIN * RATE))
    size, reach = len(window), round(REACH * RATE)
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
