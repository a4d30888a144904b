"""What pages and an export cost the sound: the delay that the app adds to 40 calls, at rest and while it is used.

    python -m benchmarks.sound_under_load [--runs 1] [--exports 1] [--folder FOLDER]

As in `benchmarks.relay`, source, app and clients are processes of their own, and "added" is how much later a frame arrives through the app
than directly. In use: 20 pages are opened within 30 s, and the CSV of 100,000 calls is fetched `--exports` times. Ten of the calls also go
through a bare pass-through, a process that does nothing else: what it adds is the share of the machine, not of the app. `--folder` is a
data folder to use instead of a new one; a journal of 100,000 calls is made there unless there is one.
"""

import argparse
import asyncio
import gc
import multiprocessing
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp
import uvloop

from benchmarks.call_log import CALLS as IN_JOURNAL
from benchmarks.call_log import fill
from benchmarks.one_port import one_port
from benchmarks.processes import Running, running
from benchmarks.relay import SUBJECTS, bare, percentiles, process, source
from benchmarks.relay_ends import FRAME_SECONDS, Client
from services.journal import Journal
from tests.process import MAIN, vapi_environ
from tests.stand_in import Body, StandIn, stand_in
from tests.tab import tab

CALLS = 40
DIRECT = 20  # calls that also have a direct client
BARE = 10  # of these, calls that also go through a bare pass-through
PAGES = 20
SECONDS = 30.0
LIMITS = dict.fromkeys(("EARSHOT_CALLS_PER_HOUR", "EARSHOT_CALLS_PER_DAY", "EARSHOT_CONCURRENT_CALLS"), "1000")
spawn = multiprocessing.get_context("spawn")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    options.add_argument("--folder", type=Path)
    options.add_argument("--exports", type=int, default=1)
    options.add_argument("--runs", type=int, default=1)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        p99s = [asyncio.run(run(chosen.folder or Path(temporary), chosen.exports)) for _ in range(chosen.runs)]
    app, pass_through = (statistics.median(column) for column in zip(*p99s, strict=True))
    print(f"sound_under_load: in use, median of {chosen.runs} runs: p99 {app:.2f} ms, through the bare pass-through {pass_through:.2f} ms")


async def run(folder: Path, exports: int) -> tuple[float, float]:
    """The 99th percentiles in use: through the app, and through the bare pass-through."""
    journal = folder / "journal.sqlite"
    if not journal.exists():
        opened = await Journal.open(f"sqlite:///{journal}")
        await fill(opened, IN_JOURNAL)
        await opened.aclose()
    with process(source) as (source_port, _):
        async with stand_in() as vapi, AsyncExitStack() as stack:
            port, _ = stack.enter_context(process(one_port, int(vapi.url.rpartition(":")[2]), source_port))
            bare_port, _ = stack.enter_context(process(bare, port, SUBJECTS[0]))
            serve_sound(vapi, port)
            environ = vapi_environ(f"http://127.0.0.1:{port}") | LIMITS | {"EARSHOT_DATA_DIR": str(folder), "EARSHOT_ALLOWED_REGIONS": "*"}
            app = await asyncio.to_thread(lambda: running(MAIN, ready="/health", environ=environ))
            served = await asyncio.to_thread(app.__enter__)
            try:
                return await measure(vapi, served, (source_port, bare_port), exports)
            finally:
                await asyncio.to_thread(app.__exit__, None, None, None)


def serve_sound(vapi: StandIn, port: int) -> None:
    """Has each call of the stand-in get its sound at this port."""
    make = vapi._call

    def call(body: Body) -> Body:
        made = make(body)
        made["monitor"] |= {"listenUrl": f"ws://127.0.0.1:{port}/{len(vapi.calls) - 1}/relayed"}
        made["status"] = "in-progress"
        vapi.calls[made["id"]] = made
        return dict(made)

    vapi._call = call  # type: ignore[method-assign]


async def measure(vapi: StandIn, app: Running, others: tuple[int, int], exports: int) -> tuple[float, float]:
    paths = []
    async with aiohttp.ClientSession() as session:
        for number in range(CALLS):
            async with session.post(app.url + "/api/vapi_call", json={"to": f"+1415555{2000 + number}", "allowDuplicate": True}) as answer:
                assert answer.status == 201, await answer.text()
                paths.append("/api" + (await answer.json())["listenUrl"].partition("/api")[2])
    assert len(vapi.calls) == CALLS
    port = int(app.url.rpartition(":")[2])
    p99s: tuple[float, float] = (0.0, 0.0)
    for name, use in (("at rest", False), ("in use", True)):
        here, there = spawn.Pipe()
        clients = spawn.Process(target=listen, args=(there, others, port, paths), daemon=True)
        clients.start()
        await asyncio.to_thread(here.recv)  # connected and warmed up
        cpu = app.cpu_seconds()
        took = await be_used(app, exports) if use else ""
        added, by_bare = await asyncio.to_thread(here.recv)
        cpu = 100 * (app.cpu_seconds() - cpu) / SECONDS
        clients.join()
        (p50, p99), (bare50, bare99) = (percentiles(delays, 50, 99) for delays in (added, by_bare))
        print(f"sound_under_load: {CALLS} calls {name}: added p50 {p50:.2f} ms, p99 {p99:.2f} ms, at most {max(added):.1f} ms; ", end="")
        print(f"through a bare pass-through {bare50:.2f}, {bare99:.2f}, {max(by_bare):.1f} ms; ", end="")
        print(f"{cpu:.0f} % of a core, {app.rss_megabytes():.0f} MB{took}", flush=True)
        p99s = p99, bare99
    return p99s


async def be_used(app: Running, exports: int) -> str:
    """Opens the pages, fetches the CSV, and says how long that took."""

    async def export() -> float:
        began = time.monotonic()
        async with aiohttp.ClientSession() as session:
            for _ in range(exports):
                async with session.get(app.url + "/api/calls.csv") as answer:
                    async for _ in answer.content.iter_any():
                        pass
        return time.monotonic() - began

    async with AsyncExitStack() as pages:
        exporting = asyncio.create_task(export())
        for _ in range(PAGES):
            await pages.enter_async_context(tab(app.url))
            await asyncio.sleep(SECONDS / PAGES / 2)
        return f"; {PAGES} pages, {exports} exports in {await exporting:.0f} s"


def listen(answers: Connection, others: tuple[int, int], port: int, paths: list[str]) -> None:
    """Listens to every call through the app, to `DIRECT` of them directly too, and to `BARE` of these through the pass-through. `others`
    are the ports of the source and the pass-through. Sends how much later each frame came, in ms, through the app and the pass-through.
    """
    arrivals: dict[str, dict[tuple[int, int], float]] = {"direct": {}, "relayed": {}, "bare": {}}
    source_port, bare_port = others

    def heard(way: str, call: int, number: int, _sent: int, now: int) -> None:
        arrivals[way][call, number] = now / 1e6

    async def hear(way: str, call: int, path: str, at: int) -> None:
        await asyncio.get_running_loop().create_connection(partial(Client, path, partial(heard, way, call)), "127.0.0.1", at)

    async def run() -> None:
        for call, path in enumerate(paths):
            if call < DIRECT:
                await hear("direct", call, f"/{call}/direct", source_port)
            if call < BARE:
                await hear("bare", call, f"/api/calls/{call}/listen", bare_port)
            await hear("relayed", call, path, port)
        await asyncio.sleep(2)
        gc.collect()
        gc.disable()
        for known in arrivals.values():
            known.clear()
        answers.send("warm")
        await asyncio.sleep(SECONDS)

    uvloop.run(run())
    direct, relayed, by_bare = arrivals.values()
    assert len(relayed) > 0.95 * len(paths) * SECONDS / FRAME_SECONDS, "frames are missing"
    answers.send(tuple([way[key] - direct[key] for key in direct.keys() & way.keys()] for way in (relayed, by_bare)))


if __name__ == "__main__":
    main()
