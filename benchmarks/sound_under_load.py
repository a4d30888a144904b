"""What pages and an export cost the sound: the delay that the app adds to 40 calls, at rest and while it is used.

    python -m benchmarks.sound_under_load [--exports 1] [--folder FOLDER]

As in `benchmarks.relay`, source, app and clients are processes of their own, and "added" is how much later a frame arrives through the app
than directly. In use: 20 pages are opened within 30 s, and the CSV of 100,000 calls is fetched `--exports` times. `--folder` is a data
folder to use instead of a new one; a journal of 100,000 calls is made there unless there is one.
"""

import argparse
import asyncio
import gc
import multiprocessing
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
from benchmarks.relay import percentiles, process, source
from benchmarks.relay_ends import FRAME_SECONDS, Client
from services.journal import Journal
from tests.process import MAIN, vapi_environ
from tests.stand_in import Body, StandIn, stand_in
from tests.tab import tab

CALLS = 40
DIRECT = 20  # calls that also have a direct client
PAGES = 20
SECONDS = 30.0
LIMITS = dict.fromkeys(("EARSHOT_CALLS_PER_HOUR", "EARSHOT_CALLS_PER_DAY", "EARSHOT_CONCURRENT_CALLS"), "1000")
spawn = multiprocessing.get_context("spawn")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    options.add_argument("--folder", type=Path)
    options.add_argument("--exports", type=int, default=1)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(run(chosen.folder or Path(temporary), chosen.exports))


async def run(folder: Path, exports: int) -> None:
    journal = folder / "journal.sqlite"
    if not journal.exists():
        opened = await Journal.open(f"sqlite:///{journal}")
        await fill(opened, IN_JOURNAL)
        await opened.aclose()
    with process(source) as (source_port, _):
        async with stand_in() as vapi, AsyncExitStack() as stack:
            port, _ = stack.enter_context(process(one_port, int(vapi.url.rpartition(":")[2]), source_port))
            serve_sound(vapi, port)
            environ = vapi_environ(f"http://127.0.0.1:{port}") | LIMITS | {"EARSHOT_DATA_DIR": str(folder), "EARSHOT_ALLOWED_REGIONS": "*"}
            app = await asyncio.to_thread(lambda: running(MAIN, ready="/health", environ=environ))
            served = await asyncio.to_thread(app.__enter__)
            try:
                await measure(vapi, served, source_port, exports)
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


async def measure(vapi: StandIn, app: Running, source_port: int, exports: int) -> None:
    paths = []
    async with aiohttp.ClientSession() as session:
        for number in range(CALLS):
            async with session.post(app.url + "/api/vapi_call", json={"to": f"+1415555{2000 + number}", "allowDuplicate": True}) as answer:
                assert answer.status == 201, await answer.text()
                paths.append("/api" + (await answer.json())["listenUrl"].partition("/api")[2])
    assert len(vapi.calls) == CALLS
    port = int(app.url.rpartition(":")[2])
    for name, use in (("at rest", False), ("in use", True)):
        here, there = spawn.Pipe()
        clients = spawn.Process(target=listen, args=(there, source_port, port, paths), daemon=True)
        clients.start()
        await asyncio.to_thread(here.recv)  # connected and warmed up
        cpu = app.cpu_seconds()
        took = await be_used(app, exports) if use else ""
        added = await asyncio.to_thread(here.recv)
        cpu = 100 * (app.cpu_seconds() - cpu) / SECONDS
        clients.join()
        p50, p99 = percentiles(added, 50, 99)
        print(f"sound_under_load: {CALLS} calls {name}: added p50 {p50:.2f} ms, p99 {p99:.2f} ms, at most {max(added):.1f} ms; ", end="")
        print(f"{cpu:.0f} % of a core, {app.rss_megabytes():.0f} MB{took}", flush=True)


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


def listen(answers: Connection, source_port: int, port: int, paths: list[str]) -> None:
    """Listens to every call through the app, and to `DIRECT` of them directly too; sends how much later each frame came, in ms."""
    arrivals: dict[str, dict[tuple[int, int], float]] = {"direct": {}, "relayed": {}}

    def heard(way: str, call: int, number: int, _sent: int, now: int) -> None:
        arrivals[way][call, number] = now / 1e6

    async def run() -> None:
        loop = asyncio.get_running_loop()
        for call, path in enumerate(paths):
            if call < DIRECT:
                direct = partial(Client, f"/{call}/direct", partial(heard, "direct", call))
                await loop.create_connection(direct, "127.0.0.1", source_port)
            await loop.create_connection(partial(Client, path, partial(heard, "relayed", call)), "127.0.0.1", port)
        await asyncio.sleep(2)
        gc.collect()
        gc.disable()
        for known in arrivals.values():
            known.clear()
        answers.send("warm")
        await asyncio.sleep(SECONDS)

    uvloop.run(run())
    direct, relayed = arrivals["direct"], arrivals["relayed"]
    assert len(relayed) > 0.95 * len(paths) * SECONDS / FRAME_SECONDS, "frames are missing"
    answers.send([relayed[key] - direct[key] for key in direct.keys() & relayed.keys()])


if __name__ == "__main__":
    main()
