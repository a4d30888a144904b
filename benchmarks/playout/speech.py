"""How speech sounds while a stall is made good: PESQ of what was heard against what was said, once the times are those of the speech again."""

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
CALL = HERE.parent.parent / "assets" / "demo_call.flac"
QUANTUM = 128
OUT = 48000
GRAIN = 0.03  # seconds of what was heard that are put back at once


def measure() -> dict[str, Any]:
    """Everything that `measure.mjs` measures, and `pesq`: the mean of both speakers, or None where the package pesq is not installed."""
    said = soundfile.read(CALL, dtype="int16", always_2d=True)[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "call"
        path.write_bytes(said.tobytes())
        ran = subprocess.run(["node", "--expose-gc", HERE / "measure.mjs", path], capture_output=True, text=True, check=True)
        found: dict[str, Any] = json.loads(ran.stdout)
        heard = np.fromfile(f"{path}.heard", np.float32).reshape(-1, 2).astype(np.float64)
        places = np.fromfile(f"{path}.places")
    found["pesq"] = _pesq(said / 32768, heard, places)
    return found


def _pesq(said: NDArray[np.float64], heard: NDArray[np.float64], places: NDArray[np.float64]) -> float | None:
    try:
        from pesq import pesq  # noqa: PLC0415 since it is optional: it has to be compiled
    except ImportError:
        return None
    again = np.stack([_put_back(resampled(heard[:, who], OUT), places) for who in range(2)], axis=1)
    first, last = 14 * RATE, 26 * RATE  # from the stall on, for as long as it is made good
    return float(np.mean([pesq(RATE, said[first:last, who].astype(np.float32), again[first:last, who].astype(np.float32), "wb") for who in range(2)]))


def _put_back(heard: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Grains of what was heard, each at the time that it has in the call, over each other where the call was played faster."""
    hop = GRAIN / 2
    window = np.hanning(round(GRAIN * RATE))
    length = int(places.max()) + RATE
    sound, weight = np.zeros(length), np.full(length, 1e-9)
    times = np.arange(len(places)) * QUANTUM / OUT
    order = np.maximum.accumulate(places) / RATE
    for at in np.arange(0.0, length / RATE - 1, hop):  # each place in the call, and when it was heard
        when = float(np.interp(at, order, times))
        begin = round(when * RATE)
        grain = heard[begin : begin + len(window)]
        if len(grain) < len(window):
            break
        to = round(at * RATE)
        sound[to : to + len(window)] += grain * window
        weight[to : to + len(window)] += window
    return sound / weight
