"""Fifty running calls and twenty open pages: CPU of the whole app, how soon each page shows a call, and memory after many pages."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from statistics import quantiles

import aiohttp

from benchmarks.processes import Running, running
from tests.process import MAIN
from tests.tab import tab

CALLS = 50
PAGES = 20
SECONDS = 20.0
ROUNDS = 50  # of opening and closing PAGES pages
REST_S = 35.0  # NiceGUI keeps a closed page for 30 s, in case its tab reconnects


async def run(app: Running) -> None:
    numbers = [f"+1 415-555-{2000 + call}" for call in range(CALLS)]
    shown: list[dict[str, float]] = [{} for _ in range(PAGES)]

    def listener(page: int) -> Callable[[str, float], None]:
        def hear(text: str, at: float) -> None:
            for number in numbers:
                if number in text:
                    shown[page].setdefault(number, at)

        return hear

    async with AsyncExitStack() as pages, aiohttp.ClientSession() as session:
        for page in range(PAGES):
            await pages.enter_async_context(tab(app.url, listener(page)))
        began, answered, cpu = time.perf_counter(), {}, app.cpu_seconds()
        for number in numbers:
            body = {"to": number, "allowDuplicate": True}
            async with session.post(app.url + "/api/vapi_call", json=body) as answer:
                assert answer.status == 201, await answer.text()
            answered[number] = time.perf_counter()
        await asyncio.sleep(2)
        placing = app.cpu_seconds() - cpu
        delays_ms = [1000 * (page[number] - answered[number]) for page in shown for number in numbers]
        p95 = quantiles(delays_ms, n=20)[-1]
        print(
            f"many_pages: {CALLS} calls placed in {time.perf_counter() - began - 2:.1f} s with {PAGES} pages open: {placing:.1f} s of CPU"
        )
        print(f"many_pages: page shows a new call p95 {p95:.0f} ms, at most {max(delays_ms):.0f} ms after its POST was answered (aim: 300)")
        cpu = app.cpu_seconds()
        await asyncio.sleep(SECONDS)
        print(f"many_pages: {CALLS} calls running, {PAGES} pages: {100 * (app.cpu_seconds() - cpu) / SECONDS:.1f} % of a core (aim: 50)")
    await asyncio.sleep(REST_S)
    before = app.rss_megabytes()
    for done in range(1, ROUNDS + 1):
        async with AsyncExitStack() as pages:
            for _ in range(PAGES):
                await pages.enter_async_context(tab(app.url))
        if done % 5 == 0:
            await asyncio.sleep(REST_S)
            print(f"many_pages: after {done * PAGES} pages more {app.rss_megabytes():.0f} MB (before: {before:.0f} MB)")


def main() -> None:
    with running(MAIN, ready="/health", environ={"EARSHOT_CONCURRENT_CALLS": str(CALLS)}) as app:
        asyncio.run(run(app))


if __name__ == "__main__":
    main()
