"""What a part of the page has shown, for however short a time. Playwright looks once a second at most: it misses some on a busy machine."""

import itertools

from playwright.sync_api import Locator

from tests.patience import HANG_S

_numbers = itertools.count()

_NOTE = """(part, number) => {
    const seen = (window.seenParts ??= {})[number] = [];
    const note = () => seen.push(part.textContent.trim(), part.dataset.state);
    new MutationObserver(note).observe(part, {subtree: true, childList: true, characterData: true, attributes: true});
    note();
}"""


class Seen:
    """Notes each text and each `data-state` of this element from now on."""

    def __init__(self, part: Locator) -> None:
        self._page, self._number = part.page, next(_numbers)
        part.evaluate(_NOTE, self._number)

    def wait(self, shown: str) -> None:
        """Returns once the element has shown this text or state, even if it shows another by now. Raises TimeoutError of Playwright."""
        known = "([number, shown]) => window.seenParts[number].includes(shown)"
        self._page.wait_for_function(known, arg=[self._number, shown], timeout=1000 * HANG_S / 2)
