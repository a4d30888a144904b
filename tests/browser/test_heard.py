"""The main job, from the press on Call to what comes out of the loudspeakers."""

from collections.abc import Iterator

import numpy as np
from playwright.sync_api import Page

from tests.browser.conftest import ROOT, Earshot, Open
from tests.browser.plain_page.hearing import Heard, correlation, place, resampled
from tests.browser.plain_page.server import RATE, demo_call

TAP = ROOT / "tests" / "browser" / "plain_page" / "tap.js"
SECONDS = 20
TRIES = 3  # a machine that stands still for longer than the jitter buffer is deep makes a gap that is no fault of the player


def test_a_call_on_the_demo_line_is_heard_without_a_dropout(earshot: Earshot, open_tab: Open) -> None:
    # The recorder is a worklet from a blob, which the page's own content policy would rightly refuse.
    page = open_tab(earshot.url, bypass_csp=True)
    page.add_init_script(path=TAP)
    assert any(whole(ears) for ears in listened(page, earshot))


def listened(page: Page, earshot: Earshot) -> Iterator[Heard]:
    for _ in range(TRIES):
        page.goto(earshot.url)
        page.wait_for_function("window.did_handshake === true")
        page.get_by_test_id("dial-number").fill("+1 415 555 2671")
        page.get_by_test_id("dial-call").click()
        page.wait_for_selector('[data-testid="player-state"][data-state="playing"]', timeout=30_000)
        page.wait_for_timeout(1000 * (SECONDS + 2))
        yield Heard.of(page.evaluate("window.heard()"))
        earshot.end_all()


def whole(ears: Heard) -> bool:
    """Whether each ear heard its own side of the conversation and not the other's, for all the time without a gap."""
    # From the first word on: before it there is only the ringing's silence.
    begins = int(np.flatnonzero(np.abs(ears.sound).max(axis=1) > 0.01)[0])
    heard = ears.sound[begins : begins + SECONDS * ears.rate]
    assert len(heard) == SECONDS * ears.rate
    sent = resampled(demo_call(), RATE, ears.rate)
    at = place(heard, sent)
    sent = sent[at : at + len(heard)]
    own = [correlation(heard[:, ear], sent[:, ear]) for ear in (0, 1)]
    other = [abs(correlation(heard[:, ear], sent[:, 1 - ear])) for ear in (0, 1)]
    print(f"own side {own}, other side {other}")  # noqa: T201 - shown by pytest where the test failed
    return min(own) >= 0.95 and max(other) <= 0.05
