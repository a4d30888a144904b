"""First paint and interactivity of the page on a cold cache, against NiceGUI's hello-world in the same run."""

from statistics import median

from playwright.sync_api import Browser, sync_playwright

from benchmarks.processes import running
from tests.chromium import FLAGS, chromium_path
from tests.process import MAIN

RUNS = 5

# Interactive: the socket is connected and the page's elements are there.
_WATCH = """
window.interactive = new Promise((resolve) => {
    const there = () => window.did_handshake && document.querySelector(".q-page > div > *");
    const look = () => (there() ? resolve(performance.now()) : setTimeout(look, 2));
    look();
});
window.painted = new Promise((resolve) => {
    const note = (list) => list.getEntriesByName("first-contentful-paint").forEach((entry) => resolve(entry.startTime));
    new PerformanceObserver(note).observe({type: "paint", buffered: true});
});
"""


def main() -> None:
    with sync_playwright() as playwright, running("-m", "benchmarks.peers.hello") as hello, running(MAIN) as earshot:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        visit(browser, hello.url), visit(browser, earshot.url)  # warm up the browser and both servers
        pairs = [(visit(browser, hello.url), visit(browser, earshot.url)) for _ in range(RUNS)]
        browser.close()
    print(f"Cold cache, median of {RUNS}, ms")
    for column, what in enumerate(("first paint", "interactive")):
        theirs, ours = (median(run[column] for run in runs) for runs in zip(*pairs, strict=True))
        print(f"  {what:12} hello-world {theirs:4.0f}   earshot {ours:4.0f}   ratio {ours / theirs:.2f} x (aim: at most 1.15)")


def visit(browser: Browser, url: str) -> tuple[float, float]:
    """Milliseconds from the start of the navigation to first contentful paint, and until the page is interactive."""
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(_WATCH)
    page.goto(url)
    interactive = float(page.evaluate("window.interactive"))
    painted = float(page.evaluate("window.painted"))
    context.close()
    return painted, interactive


if __name__ == "__main__":
    main()
