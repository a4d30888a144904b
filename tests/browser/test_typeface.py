"""The page's own typeface, and Earshot as an installed application."""

from urllib.parse import urljoin

from tests.browser.conftest import Earshot, Open

_SHIFTS = """new Promise((resolve) => {
    let sum = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) sum += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
    document.fonts.ready.then(() => requestAnimationFrame(() => setTimeout(() => resolve(sum), 100)));
})"""
_WIDTHS = """() => ["1111", "0000", "4747"].map((digits) => {
    const text = document.createElement("span");
    text.textContent = digits;
    document.querySelector(".desk").append(text);
    const { width } = text.getBoundingClientRect();
    text.remove();
    return width;
})"""


def test_it_comes_from_here_and_moves_nothing(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url, viewport={"width": 1280, "height": 720})
    shifted = page.evaluate(_SHIFTS)
    assert page.evaluate("[...document.fonts].filter((face) => face.family === 'Inter').map((face) => face.status)") == ["loaded"]
    loaded = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [name for name in loaded if not name.startswith(earshot.url)] == []
    assert shifted < 0.01


def test_figures_are_of_one_width(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    page.evaluate("document.fonts.ready")
    assert len(set(page.evaluate(_WIDTHS))) == 1


def test_it_can_be_installed_and_keeps_nothing(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    address = page.locator("link[rel=manifest]").evaluate("link => link.href")
    response = page.request.get(address)
    assert response.headers["content-type"].startswith("application/manifest+json")
    manifest = response.json()
    for name in ("id", "start_url", "scope"):
        assert urljoin(address, manifest[name]) == f"{earshot.url}/"
    for icon in manifest["icons"]:
        assert page.request.get(urljoin(address, icon["src"])).headers["content-type"] == icon["type"]
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0
