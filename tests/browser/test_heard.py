"""The main job, from the press on Call to what comes out of the loudspeakers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from playwright.sync_api import Page

from tests.browser.conftest import ROOT, Earshot, Open
from tests.browser.plain_page.hearing import Heard, find, place, resampled
from tests.browser.plain_page.server import RATE, demo_call
from tests.browser.test_live_playout import assert_conserved

TAP = ROOT / "tests" / "browser" / "plain_page" / "tap.js"
SECONDS = 20
SPOKEN = 1e-5  # mean square, -50 dBFS: in a pause there is nothing to find
MOVED = 0.1  # seconds that the jitter buffer may be deeper or flatter at the end
TRIES = 3  # a machine that stands still for longer than the jitter buffer is deep makes a gap that is no fault of the player
STATS = """async () => {
    const element = document.querySelector("[data-testid=player-state]").closest("[id^=c]");
    return await getElement(Number(element.id.slice(1))).getStats();
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was heard of a call, and what the page reports of its machine and of what it did about it."""

    ears: Heard
    skipped: int  # times that the browser left out sound
    stats: dict[str, Any]

    @property
    def disturbed(self) -> bool:
        """True if the machine stood still: nothing came in time, the browser skipped, or speech had to be slowed down and hurried."""
        stretched = self.stats["insertedSamplesForDeceleration"] + self.stats["removedSamplesForAcceleration"]
        return bool(self.skipped or self.stats["concealmentEvents"] or stretched / self.ears.rate > MOVED)


def test_a_call_on_the_demo_line_is_heard_without_a_dropout(earshot: Earshot, open_tab: Open) -> None:
    # The recorder is a worklet from a blob, which the page's own content policy would rightly refuse.
    page = open_tab(earshot.url, bypass_csp=True)
    page.add_init_script(path=TAP)
    for _ in range(TRIES):
        run = listened(page, earshot)
        assert_nothing_is_lost(run)
        if whole(run.ears):
            return
        print(f"{run.skipped} skipped, {run.stats}")  # noqa: T201 - shown where the test failed
        assert run.disturbed


def listened(page: Page, earshot: Earshot) -> Run:
    page.goto(earshot.url)
    page.wait_for_function("window.did_handshake === true")
    page.get_by_test_id("dial-number").fill("+1 415 555 2671")
    page.get_by_test_id("dial-call").click()
    page.wait_for_selector('[data-testid="player-state"][data-state="playing"]', timeout=30_000)
    # By the clock of the sound, which a machine that stands still holds up; 4 s for the rest of the ringing and the first breath.
    enough = page.evaluate("window.contexts.at(-1).currentTime") + SECONDS + 4
    page.wait_for_function("enough => window.contexts.at(-1).currentTime > enough", arg=enough, timeout=3000 * SECONDS)
    stats = page.evaluate(STATS)
    tap = page.evaluate("window.heard()")
    earshot.end_all()
    return Run(ears=Heard.of(tap), skipped=tap["skipped"], stats=stats)


def assert_nothing_is_lost(run: Run) -> None:
    """What holds however busy the machine is: every sample is accounted for, and most of what is heard is what was said, in its own ear."""
    assert_conserved(run.stats)
    assert run.stats["samplesDiscarded"] == 0
    ears = run.ears
    heard = ears.sound[int(np.flatnonzero(np.abs(ears.sound).max(axis=1) > 0.01)[0]) :]
    sent = resampled(demo_call(), RATE, ears.rate)
    at = place(heard[: 2 * ears.rate], sent)
    likeness = []
    for begin in range(0, len(heard) - ears.rate // 50, ears.rate // 4):
        part = heard[begin : begin + ears.rate // 50]  # 20 ms, so that most hold no splice
        if np.abs(part).max() < 0.05:
            continue
        from_ = max(0, begin + at - ears.rate)
        if from_ + len(part) >= len(sent):
            break  # the conversation is over
        found, like = find(part, sent[from_ : from_ + 2 * ears.rate])
        likeness.append(like)
        if like > 0.95:
            at = from_ + found - begin
    assert len(likeness) > SECONDS
    assert np.mean(np.array(likeness) > 0.95) >= 0.6, likeness


def whole(ears: Heard) -> bool:
    """Whether each ear heard its own side of the conversation and not the other's, for all the time, and nothing was left out.

    The player moves within the stream by a few ms where the line asks for it, so each half second is compared with where it is.
    """
    # From the first word on: before it there is only the ringing's silence.
    begins = int(np.flatnonzero(np.abs(ears.sound).max(axis=1) > 0.01)[0])
    heard = ears.sound[begins : begins + SECONDS * ears.rate]
    if len(heard) < SECONDS * ears.rate:
        return False
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
