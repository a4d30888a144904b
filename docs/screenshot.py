"""Makes docs/desk.png, the picture in the README: an answered call on the demo line. Run from the root: `python -m docs.screenshot`."""

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import earshot_process
from tests.chromium import FLAGS, chromium_path

PICTURE = Path(__file__).with_name("desk.png")
TALKED = 28_000  # ms of conversation until both lanes have something to show


def main() -> None:
    with earshot_process() as earshot, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 620}, color_scheme="light", device_scale_factor=2, locale="en-GB")
        page.goto(earshot.url)
        page.wait_for_function("window.did_handshake === true")
        for number in ("+12025550101", "+14155552671"):
            page.get_by_test_id("dial-number").fill(number)
            page.get_by_test_id("dial-call").click()
            page.locator(f"[data-status={'ended' if number.endswith('0101') else 'in-progress'}]").wait_for(timeout=20_000)
        page.wait_for_timeout(TALKED)
        page.mouse.move(0, 0)
        page.screenshot(path=PICTURE)
        browser.close()
        earshot.end_all()


if __name__ == "__main__":
    main()
