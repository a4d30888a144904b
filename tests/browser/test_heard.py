"""The main job, from the press on Call to what comes out of the loudspeakers."""

from collections.abc import Iterator

import numpy as np
from playwright.sync_api import Page

from tests.browser.conftest import ROOT, Earshot, Open
from tests.browser.plain_page.hearing import Heard, find, place, resampled
from tests.browser.plain_page.server import RATE, demo_call

TAP = ROOT / "tests" / "browser" / "plain_page" / "tap.js"
SECONDS = 20
SPOKEN = 1e-5  # mean square, -50 dBFS: in a pause there is nothing to find
MOVED = 0.1  # seconds that the jitter buffer may be deeper or flatter at the end
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
    """Whether each ear heard its own side of the conversation and not the other's, for all the time, and nothing was left out.

    The player moves within the stream by a few ms where the line asks for it, so each half second is compared with where it is.
    """
    # From the first word on: before it there is only the ringing's silence.
    begins = int(np.flatnonzero(np.abs(ears.sound).max(axis=1) > 0.01)[0])
    heard = ears.sound[begins : begins + SECONDS * ears.rate]
    assert len(heard) == SECONDS * ears.rate
    sent = resampled(demo_call(), RATE, ears.rate)
    window, reach = ears.rate // 2, ears.rate // 2
    at = first = place(heard[: 4 * window], sent)
    likeness = []
    for begin in range(0, len(heard), window):
        part = heard[begin : begin + window]
        if np.square(part).mean() < SPOKEN:
            continue
        from_ = max(0, begin + at - reach)
        around = sent[from_ : begin + at + window + reach]
        found, like = find(part, around)
        at = from_ + found - begin
        swapped = find(part[:, ::-1], around)[1]
        likeness.append((like, swapped))
    own, other = np.array(likeness).T
    moved = abs(at - first) / ears.rate
    print(f"own side {own.round(3)}, other side {other.round(3)}, moved by {1000 * moved:.1f} ms")  # noqa: T201 - shown where the test failed
    whole = np.median(own) >= 0.98 and np.mean(own >= 0.9) >= 0.9 and min(own) >= 0.3
    return bool(len(own) >= SECONDS and whole and max(other) <= 0.05 and moved < MOVED)
