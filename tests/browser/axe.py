"""axe-core, which judges how accessible a page is, asked of states of the page."""

from collections.abc import Iterator, Mapping

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Earshot
from tests.browser.states import Bring

OF_COLOURS = ("color-contrast", "link-in-text-block")
"""In the dark nothing else differs."""
_RUN = "([context, options]) => axe.run(context, options).then(({ violations }) => violations)"


def complaints(page: Page, earshot: Earshot, journey: Mapping[str, Bring]) -> list[str]:
    """What axe says of each state of a journey through the page, light and dark, with the element that it means.

    A name as `this+that` is of two states that can be seen at once.
    """
    found = []
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    for state, bring in journey.items():
        bring(page, earshot)
        found += [f"{state}, light: {line}" for line in violations(page)]
        page.emulate_media(color_scheme="dark")
        found += [f"{state}, dark: {line}" for line in violations(page, *OF_COLOURS)]
        page.emulate_media(color_scheme="light")
    return found


def violations(page: Page, *rules: str, but: str = "") -> Iterator[str]:
    """By all rules, or by these, of all elements but those that this selects."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    # What passed is not described, which takes axe a third of its time. Style sheets are read by no rule but one that must be asked for.
    options = {"resultTypes": ["violations"], "preload": {"assets": ["media"]}}
    if rules:
        options |= {"runOnly": {"type": "rule", "values": rules}}
    for violation in page.evaluate(_RUN, [{"exclude": [but] if but else []}, options]):
        for node in violation["nodes"]:
            yield f"{violation['id']}: {node['html'][:200]} {node.get('failureSummary', '')}"
