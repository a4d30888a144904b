"""What recording costs, and how much sound a `kill -9` loses.

    python -m benchmarks.relay_recording [--kills 20]

A process records calls from the source of `benchmarks.relay`, whose frames hold the time when they were sent, and is killed at a random
moment. "Missing" is the time from the last frame in the finished recording to the kill. "CPU" is measured while 100 calls are recorded.
"""

import argparse
import asyncio
import random
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import soundfile
import uvloop

from benchmarks.recorded_calls import record_all
from benchmarks.relay import cpu_seconds, process, source, spawn
from benchmarks.relay_ends import SOUND, STAMP
from services.recording.folder import RecordingFolder


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    options.add_argument("--kills", type=int, default=20)
    chosen = options.parse_args()
    with process(source) as (port, _):
        missing = [missed for _ in range(chosen.kills) for missed in killed(port, calls=5)]
        print(f"kill -9, {chosen.kills} times, 5 calls each: missing at most {1000 * max(missing):.0f} ms of {len(missing)} recordings")
        with tempfile.TemporaryDirectory() as folder, process(recorder, port, folder, 100) as (_, pid):
            time.sleep(2)
            used, since = cpu_seconds(pid), time.monotonic()
            time.sleep(6)
            cpu = 100 * (cpu_seconds(pid) - used) / (time.monotonic() - since) / 100
            print(f"recording 100 calls: {cpu:.2f} % of a core a call, {psutil.Process(pid).memory_info().rss / 1e6:.0f} MB in all")


def killed(port: int, *, calls: int) -> list[float]:
    """Seconds missing at the end of each recording. Raises AssertionError if a recording has a hole or does not exist."""
    with tempfile.TemporaryDirectory() as folder:
        here, there = spawn.Pipe()
        running = spawn.Process(target=recorder, args=(there, port, folder, calls), daemon=True)
        running.start()
        here.recv()
        time.sleep(random.uniform(1.5, 4))  # noqa: S311
        running.kill()
        at = time.monotonic_ns()
        running.join()
        return [(at - last_sent(Path(folder), str(call))) / 1e9 for call in range(calls)]


def last_sent(folder: Path, call_id: str) -> int:
    """When the last recorded frame was sent, in monotonic ns. Asserts that no frame before it is missing."""
    assert RecordingFolder(folder).finish(call_id)
    sound = soundfile.read(folder / call_id / "1.flac", dtype="int16")[0].tobytes()
    stamps = [STAMP.unpack_from(sound, first) for first in range(0, len(sound) // SOUND * SOUND, SOUND)]
    numbers = [number for number, _ in stamps]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    return int(stamps[-1][1])


def recorder(ready: Connection, port: int, folder: str, calls: int) -> None:
    async def run() -> None:
        _kept = await record_all(Path(folder), calls, lambda call_id: f"ws://127.0.0.1:{port}/{call_id}/recorded")
        ready.send("ready")
        await asyncio.Event().wait()

    uvloop.run(run())


if __name__ == "__main__":
    main()
