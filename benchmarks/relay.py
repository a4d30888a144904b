"""The delay and CPU that the relay adds, against a directly connected client and a bare pass-through with `websockets`.

    python -m benchmarks.relay [--seconds 4] [--runs 5]

Source, subject and clients are separate processes on one clock (CLOCK_MONOTONIC). For each call the source sends a numbered frame of
1280 bytes every 20 ms, to direct clients and to the subject. "Added" is how much later the same frame arrives through the subject.
"""

import argparse
import asyncio
import gc
import multiprocessing
import os
import platform
import random
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import psutil
import uvicorn
import uvloop
from fastapi import FastAPI
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from benchmarks.relay_ends import FRAME_SECONDS, SOUND, STAMP, Client, Source, SourceCall
from services.domain.call import Call, CallStatus, ListenTarget
from services.listening.relay import Relay
from services.web.access.tickets import Tickets
from services.web.routes.listen_socket import listen_router

DIRECT = 20  # calls that also have a direct client
PADDING = random.Random(1).randbytes(SOUND - STAMP.size)  # noqa: S311 - noise, since sound that compresses well would flatter permessage-deflate
SECRET = b"benchmark"
spawn = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    name: str
    ws: str | None = None
    deflate: bool = False


SUBJECTS = (
    Subject(name="bare websockets pass-through"),
    Subject(name="relay, ws=websockets-sansio", ws="websockets-sansio"),
    Subject(name="relay, ws=websockets", ws="websockets"),
    Subject(name="relay, ws=wsproto", ws="wsproto"),
    Subject(name="relay, sansio + permessage-deflate", ws="websockets-sansio", deflate=True),
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    options.add_argument("--seconds", type=float, default=4.0)
    options.add_argument("--runs", type=int, default=5)
    chosen = options.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores, ", end="")
    print(f"median of {chosen.runs} runs of {chosen.seconds:g} s")
    print(f"{'':36}{'calls':>6}{'direct p50':>12}{'p99':>7}{'added p50':>11}{'p99':>7}{'max':>7} ms{'CPU/stream':>13}")
    with process(source) as (source_port, _):
        for subject in SUBJECTS:
            for calls in (1, 20, 100):
                with process(bare if subject.ws is None else relay, source_port, subject) as (port, pid):
                    runs = [measure(source_port, port, pid, subject, calls, chosen.seconds) for _ in range(chosen.runs)]
                direct50, direct99, added50, added99, most, cpu = (statistics.median(column) for column in zip(*runs, strict=True))
                print(
                    f"{subject.name:36}{calls:6}{direct50:12.2f}{direct99:7.2f}{added50:11.2f}{added99:7.2f}{most:7.2f}   {cpu:11.2f} %",
                    flush=True,
                )


def measure(source_port: int, port: int, pid: int, subject: Subject, calls: int, seconds: float) -> tuple[float, ...]:
    """Milliseconds: direct p50 and p99; added p50, p99 and maximum. Last, CPU in percent of a core per stream."""
    with process(clients, source_port, port, subject, calls, seconds, wait=False) as (answers, _):
        answers.recv()  # connected and warmed up
        used, since = cpu_seconds(pid), time.monotonic()
        direct, added = answers.recv()
        cpu = 100 * (cpu_seconds(pid) - used) / (time.monotonic() - since) / calls
    return (*percentiles(direct, 50, 99), *percentiles(added, 50, 99), max(added), cpu)


def percentiles(values: list[float], *wanted: int) -> list[float]:
    cuts = statistics.quantiles(values, n=100)
    return [cuts[per_cent - 1] for per_cent in wanted]


def cpu_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


@contextmanager
def process(work: Callable[..., Any], *arguments: object, wait: bool = True) -> Iterator[tuple[Any, int]]:
    """Runs `work(pipe, *arguments)` in a process of its own; yields the first thing it sends (or the pipe) and its pid."""
    here, there = spawn.Pipe()
    running = spawn.Process(target=work, args=(there, *arguments), daemon=True)
    running.start()
    there.close()
    try:
        yield (here.recv() if wait else here), running.pid or 0
    finally:
        running.terminate()
        running.join()


def source(port: Connection) -> None:
    async def run() -> None:
        source_calls: dict[str, SourceCall] = {}
        server = await asyncio.get_running_loop().create_server(lambda: Source(source_calls, PADDING), "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await asyncio.Future()

    uvloop.run(run())


def relay(port: Connection, source_port: int, subject: Subject) -> None:
    async def target(call_id: str) -> ListenTarget:
        return ListenTarget(url=f"ws://127.0.0.1:{source_port}/{call_id}/relayed")

    def find(call_id: str) -> Call:
        return Call(id=call_id, status=CallStatus.IN_PROGRESS)

    app = FastAPI()
    app.include_router(listen_router(relay=Relay(target=target, find=find, hint=lambda _: None), tickets=Tickets(SECRET), find=find))
    listening = socket.create_server(("127.0.0.1", 0))
    port.send(listening.getsockname()[1])
    config = uvicorn.Config(app, ws=subject.ws or "none", ws_per_message_deflate=subject.deflate, log_level="error")
    uvicorn.Server(config).run(sockets=[listening])


def bare(port: Connection, source_port: int, _subject: Subject) -> None:
    """The least that any relay in Python must do: one `websockets` connection in, one out, nothing between."""

    async def accept(connection: ServerConnection) -> None:
        call = connection.request.path.split("/")[3] if connection.request else ""
        async with connect(f"ws://127.0.0.1:{source_port}/{call}/relayed", compression=None) as upstream:
            try:
                async for frame in upstream:
                    await connection.send(frame)
            except ConnectionClosed:
                return

    async def run() -> None:
        async with serve(accept, "127.0.0.1", 0, compression=None) as server:
            port.send(server.sockets[0].getsockname()[1])
            await asyncio.Future()

    uvloop.run(run())


def clients(answers: Connection, source_port: int, port: int, subject: Subject, calls: int, seconds: float) -> None:
    """Listens to every call through the subject, and to `DIRECT` of them directly too: more would saturate the measuring core."""
    arrivals: dict[str, dict[tuple[int, int], float]] = {"direct": {}, "relayed": {}}
    delays: list[float] = []

    def heard(way: str, call: int, number: int, sent: int, now: int) -> None:
        arrivals[way][call, number] = now / 1e6
        if way == "direct":
            delays.append((now - sent) / 1e6)

    async def listen_deflated(call: int, path: str) -> None:
        async with connect(f"ws://127.0.0.1:{port}{path}", compression="deflate") as connection:
            async for frame in connection:
                if isinstance(frame, bytes):
                    number, sent = STAMP.unpack_from(frame)
                    heard("relayed", call, number, sent, time.monotonic_ns())

    async def run() -> None:
        loop = asyncio.get_running_loop()
        tasks = []
        for call in range(calls):
            path = f"/api/calls/{call}/listen?ticket={Tickets(SECRET).issue(str(call))}"
            if call % max(1, calls // DIRECT) == 0:
                await loop.create_connection(partial(Client, f"/{call}/direct", partial(heard, "direct", call)), "127.0.0.1", source_port)
            if subject.deflate:
                tasks.append(asyncio.create_task(listen_deflated(call, path)))
            else:
                await loop.create_connection(partial(Client, path, partial(heard, "relayed", call)), "127.0.0.1", port)
        await asyncio.sleep(1)
        gc.collect()
        gc.disable()
        answers.send("warm")
        delays.clear()
        for known in arrivals.values():
            known.clear()
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    uvloop.run(run())
    direct, relayed = arrivals["direct"], arrivals["relayed"]
    both = direct.keys() & relayed.keys()
    assert len(relayed) > 0.95 * calls * seconds / FRAME_SECONDS, "frames are missing"
    answers.send((delays, [relayed[key] - direct[key] for key in both]))


if __name__ == "__main__":
    main()
