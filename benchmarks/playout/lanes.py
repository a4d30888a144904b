"""What drawing the two lanes costs: main-thread time while the player element plays a call, as a fraction of a core."""

import asyncio
import json

from playwright.async_api import async_playwright
from websockets.asyncio.server import ServerConnection

from tests.browser.plain_page.server import START, demo_call, plain_server, send_live
from tests.chromium import FLAGS, chromium_path
from ui.call.player.player_words import player_words

SETTLE_S = 5  # before measuring, until the page has loaded and the lanes begin to fill


async def lanes(seconds: int = 30) -> float:
    """Fraction of a core that the page's main thread uses for scripts, layout and painting, in a window of 1280 x 800."""

    async def script(connection: ServerConnection, _: int) -> None:
        await connection.send(START)
        await send_live(connection, demo_call())

    async with plain_server() as call, async_playwright() as playwright:
        call.script = script
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        await page.add_init_script(f"window.words = {json.dumps(player_words())}")
        await page.goto(f"http://{call.address}/element.html?url=ws://{call.address}/listen&autostart")
        await page.wait_for_selector("[data-state=playing]")
        devtools = await page.context.new_cdp_session(page)
        await devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

        async def busy() -> float:
            metrics = (await devtools.send("Performance.getMetrics"))["metrics"]
            return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))

        await asyncio.sleep(SETTLE_S)
        before = await busy()
        await asyncio.sleep(seconds)
        spent = await busy() - before
        await browser.close()
    return spent / seconds


if __name__ == "__main__":
    print(f"{100 * asyncio.run(lanes()):.1f} % of a core")
