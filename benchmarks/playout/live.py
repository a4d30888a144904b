"""Sends a trace to a page in real time, and records in headless Chromium what a player plays."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.async_api import async_playwright
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from benchmarks.playout.traces import FRAME, RATE, Trace, noise
from tests.chromium import FLAGS, chromium_path

HERE = Path(__file__).parent / "page"
ASSETS = Path(__file__).parent.parent.parent / "assets"
START = json.dumps({"type": "start", "encoding": "linear16", "container": "raw", "sampleRate": RATE, "channels": 2})
LEAD_S = 0.2  # from the page being ready to the beginning of capture


@dataclass(kw_only=True, slots=True)
class Recording:
    """What a page played. Times in ms since capture began; `sound` is samples x (left, right), full scale 1."""

    trace: Trace
    arrivals: NDArray[np.float64]
    sound: NDArray[np.float64]
    rate: int
    frames: NDArray[np.float64]
    times: NDArray[np.float64]
    stats: dict[str, Any] | None


async def record(player: str, trace: Trace, *, busy: tuple[int, int] | None = None) -> Recording:
    """Sends `trace` to `player` (a file in `page/players`).

    `busy` = (block, period): blocks the page's main thread for `block` ms of every `period` ms.
    """
    async with _server(trace) as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        page = await browser.new_page()
        page.set_default_timeout(0)
        page.on("pageerror", lambda error: print("page:", error))
        await page.goto(f"http://{address}/index.html")
        await page.wait_for_function("window.ready")
        got = await page.evaluate("what => window.run(what)", {"player": player, "busy": busy})
        await browser.close()
    begun = got["begun"]

    def array(name: str, kind: str) -> NDArray[np.float64]:
        return np.frombuffer(base64.b64decode(got[name]), kind).astype(np.float64)

    sound = np.stack([array("left", "<i2"), array("right", "<i2")], axis=1) / 32767
    return Recording(
        trace=trace,
        arrivals=np.array(got["arrivals"]) - begun,
        sound=sound,
        rate=int(got["rate"]),
        frames=array("frames", "<f8"),
        times=array("times", "<f8") - begun,
        stats=got["stats"],
    )


@asynccontextmanager
async def _server(trace: Trace) -> AsyncIterator[str]:
    """Serves the page, `/listen` like a live call, and `/feed`, which begins the capture and sends the same frames at the same times."""
    seconds = len(trace.arrive) * FRAME // 1000 + 1
    sound = np.stack([noise(seconds, 1), noise(seconds, 2)], axis=1)
    begun: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def play(connection: ServerConnection) -> None:
        assert connection.request is not None
        if connection.request.path == "/feed":
            begun.set_result(time.time() + LEAD_S)
            await connection.send(json.dumps({"begun": begun.result() * 1000}))
        else:
            await connection.send(START)
        start = await begun
        size = RATE * FRAME // 1000
        for k, arrive in enumerate(trace.arrive):
            await asyncio.sleep(max(0.0, start + arrive / 1000 - time.time()))
            await connection.send(sound[k * size : (k + 1) * size].tobytes())
        await connection.close(1000)

    async with serve(play, "127.0.0.1", 0, process_request=_file, compression=None) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def _file(connection: ServerConnection, request: Request) -> Response | None:
    if request.headers.get("Upgrade"):
        return None
    name = request.path.split("?")[0].lstrip("/")
    file = ASSETS / name.removeprefix("assets/") if name.startswith("assets/") else HERE / name
    if not file.is_file():
        return connection.respond(404, "not found")
    body = file.read_bytes()
    kind = {".html": "text/html", ".js": "text/javascript"}[file.suffix]
    return Response(200, "OK", Headers({"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close"}), body)
