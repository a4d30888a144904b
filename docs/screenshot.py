"""Makes docs/states/: a picture of every state of the page, narrow and wide, light and dark.

Run from the root: `python -m docs.screenshot`. Names of states as arguments make those alone.
"""

import io
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from urllib.error import HTTPError

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import Earshot, earshot_process
from tests.browser.states import ELSEWHERE, LOGIN, ON_THE_DEMO_LINE, Bring
from tests.chromium import FLAGS, chromium_path

STATES = Path(__file__).with_name("states")
SIZES = {"wide": (1280, 800), "narrow": (390, 844)}
SCHEMES = ("light", "dark")
TALKED = 20_000  # ms of conversation until both lanes have something to show
SETTLED = 300  # ms until what moves has arrived


def main() -> None:
    wanted = sys.argv[1:]
    STATES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        for state, bring, serving in every_state():
            if not wanted or state in wanted:
                with serving as earshot:
                    take(browser, earshot, state, bring)
        browser.close()


def every_state() -> Iterator[tuple[str, Bring, AbstractContextManager[Earshot]]]:
    """Each in an Earshot of its own, so that no picture shows what another left."""
    for state, bring in ON_THE_DEMO_LINE.items():
        yield state, bring, earshot_process()
    for state, bring in LOGIN.items():
        yield state, bring, earshot_process(EARSHOT_PASSWORD="correct horse")  # noqa: S106
    for state, (bring, serving) in ELSEWHERE.items():
        yield state, bring, serving()


def take(browser: Browser, earshot: Earshot, state: str, bring: Bring) -> None:
    for size, (width, height) in SIZES.items():
        for scheme in SCHEMES:
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
                device_scale_factor=1.5,
                locale="en-GB",
            )
            page.goto(earshot.url)
            if state not in LOGIN:
                page.wait_for_function("window.did_handshake === true")
            bring(page, earshot)
            page.wait_for_timeout(TALKED if state in ("in_progress", "presenting") else SETTLED)
            page.mouse.move(0, 0)
            page.evaluate("scrollTo(0, 0)")
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            picture.save(STATES / f"{state}_{size}_{scheme}.webp", quality=72, method=6)
            page.context.close()
            if state not in LOGIN:
                end_all(earshot)


def end_all(earshot: Earshot) -> None:
    with suppress(HTTPError):  # a call that may never have been placed can't be ended
        earshot.end_all()


if __name__ == "__main__":
    main()
