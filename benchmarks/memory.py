"""Memory of the app after 300 page visits in quick succession, and how much of it comes back after one and after ten minutes."""

import asyncio
from contextlib import AsyncExitStack

from benchmarks.processes import Running, running
from tests.process import MAIN
from tests.tab import tab

VISITS = 300
AT_ONCE = 10
MINUTES = (1, 10)
SETTLED_S = 3.0


async def run(app: Running) -> None:
    async with tab(app.url):
        pass
    await asyncio.sleep(SETTLED_S)
    before = app.rss_megabytes()
    for _ in range(VISITS // AT_ONCE):
        async with AsyncExitStack() as pages:
            for _ in range(AT_ONCE):
                await pages.enter_async_context(tab(app.url))
    print(f"memory: {before:.0f} MB after the first visit, {app.rss_megabytes():.0f} MB after {VISITS} more")
    passed = 0
    for minutes in MINUTES:
        await asyncio.sleep(60 * (minutes - passed))
        passed = minutes
        now = app.rss_megabytes()
        print(f"memory: {now:.0f} MB after {minutes} min: {now / before:.2f} x (aim: 1.2)")


def main() -> None:
    with running(MAIN, ready="/health") as app:
        asyncio.run(run(app))


if __name__ == "__main__":
    main()
