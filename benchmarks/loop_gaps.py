"""The longest block of the event loop: during start-up, three page visits and a call with a listener, and shutdown."""

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import time
from contextlib import suppress

import aiohttp
import uvicorn

import main as earshot
from services.settings import read_settings
from services.web.server.port import open_port
from tests.ports import free_port

BEAT_S = 0.002
CALL_S = 12


def main() -> None:
    logging.getLogger().setLevel(logging.WARNING)
    gc.freeze()  # as main.py does
    with asyncio.Runner(loop_factory=uvicorn.Config("").get_loop_factory()) as runner:
        gaps = runner.run(run())
    print("Longest block of the event loop, ms (aim: at most 50)")
    for stage in dict.fromkeys(stage for _, stage in gaps):
        print(f"  {stage:20} {max(gap for gap, at in gaps if at == stage):6.1f}")


async def run() -> list[tuple[float, str]]:
    gaps: list[tuple[float, str]] = []
    stage = ["start"]
    settings = read_settings({"PORT": str(free_port())}, dotenv=None)
    measuring = asyncio.create_task(measure_gaps(gaps, stage))
    serving = asyncio.create_task(earshot.serve(settings, open_port(settings)))
    await asyncio.sleep(1.5)
    stage[0] = "three pages, a call"
    user = multiprocessing.get_context("spawn").Process(target=use, args=(f"http://127.0.0.1:{settings.port}",))
    user.start()
    await asyncio.to_thread(user.join)
    stage[0] = "end"
    os.kill(os.getpid(), signal.SIGTERM)
    await serving
    measuring.cancel()
    return gaps


async def measure_gaps(gaps: list[tuple[float, str]], stage: list[str]) -> None:
    last = time.perf_counter()
    while True:
        await asyncio.sleep(BEAT_S)
        now = time.perf_counter()
        gaps.append((1000 * (now - last - BEAT_S), stage[0]))
        last = now


def use(url: str) -> None:
    async def visit() -> None:
        async with aiohttp.ClientSession() as session:
            for _ in range(3):
                async with session.get(url) as page:
                    await page.read()
            async with session.post(url + "/api/vapi_call", json={"to": "+14155552671"}) as answer:
                call = await answer.json()
            async with session.ws_connect(call["listenUrl"]) as socket:
                with suppress(TimeoutError):
                    async with asyncio.timeout(CALL_S):
                        async for _ in socket:
                            pass

    asyncio.run(visit())


if __name__ == "__main__":
    main()
