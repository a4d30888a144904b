"""What it costs to measure and record 100 calls at once.

    python -m benchmarks.measured_calls [--calls 100]

A process of its own speaks the demo call on each line, each at another place of it. "CPU" is that of the process that records and measures,
"longest" the most CPU that measuring took before it let go of the event loop.
"""

import argparse
import asyncio
import gc
import itertools
import tempfile
import time
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import soundfile
import uvloop
from websockets.asyncio.server import ServerConnection, serve

from benchmarks.recorded_calls import record_all
from benchmarks.relay import cpu_seconds, process
from services.domain.stream_format import DEFAULT_FORMAT
from services.listening.measurer import Measurer
from services.measures.measures import warm_up

DEMO_CALL = Path(__file__).parent.parent / "assets" / "demo_call" / "demo_call.flac"
FRAME_S = 0.02
SETTLED_S, MEASURED_S = 5, 20


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    options.add_argument("--calls", type=int, default=100)
    calls = options.parse_args().calls
    for measured in (False, True):
        with (
            tempfile.TemporaryDirectory() as folder,
            process(speaker) as (port, _),
            process(listener, port, folder, calls, measured) as (_, pid),
        ):
            time.sleep(SETTLED_S)
            used, since = cpu_seconds(pid), time.monotonic()
            time.sleep(MEASURED_S)
            cpu = 100 * (cpu_seconds(pid) - used) / (time.monotonic() - since)
            memory = psutil.Process(pid).memory_info().rss / 1e6
            block = f", longest {1000 * float((Path(folder) / 'longest').read_text()):.1f} ms" if measured else ""
            what = "recorded and measured" if measured else "recorded"
            print(f"{calls} calls {what}: {cpu:.1f} % of a core, {memory:.0f} MB{block}", flush=True)


def speaker(port: Connection) -> None:
    samples = soundfile.read(DEMO_CALL, dtype="int16")[0].astype("<i2").tobytes()
    size = round(FRAME_S * DEFAULT_FORMAT.bytes_per_second)
    places = itertools.count()

    async def speak(connection: ServerConnection) -> None:
        at = next(places) * 7 * size % len(samples)
        await connection.send(DEFAULT_FORMAT.start_frame())
        due = time.monotonic()
        while True:
            await connection.send((samples[at : at + size] + samples)[:size])
            at = (at + size) % len(samples)
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def run() -> None:
        async with serve(speak, "127.0.0.1", 0, compression=None) as server:
            port.send(server.sockets[0].getsockname()[1])
            await asyncio.Event().wait()

    uvloop.run(run())


class Timed(Measurer):
    """Notes how long measuring kept the processor at most."""

    longest = 0.0

    def _work(self) -> None:
        begun = time.thread_time()
        super()._work()
        Timed.longest = max(Timed.longest, time.thread_time() - begun)


def listener(ready: Connection, port: int, folder: str, calls: int, measured: bool) -> None:
    async def run() -> None:
        warm_up()  # as whatever measures calls does before the first
        relay, _recordings = await record_all(Path(folder), calls, lambda call_id: f"ws://127.0.0.1:{port}/{call_id}")
        if measured:
            for call in range(calls):
                relay.join(str(call), partial(Timed, publish=lambda *_: None))
        ready.send("ready")
        while True:
            await asyncio.sleep(1)
            (Path(folder) / "longest").write_text(str(Timed.longest))

    gc.freeze()  # as main.py does: else a collection of what was imported is counted, whoever is at work then
    uvloop.run(run())


if __name__ == "__main__":
    main()
