"""Somebody who dials on the page and listens, and what the page tells them about the sound."""

import re
import time
from dataclasses import dataclass
from itertools import count

import pytest

from tests.browser.everywhere.driver import Driver
from tests.browser.everywhere.network import Network
from tests.browser.everywhere.sound_server import SoundServer
from tests.browser.plain_page.hearing import Sound
from tests.patience import HANG_S

# Whoever opens "About the sound" gets the figures of now.
_ABOUT = """(async () => {
    const details = document.querySelector(".player-details");
    details.open = true;
    details.dispatchEvent(new Event("toggle"));
    await new Promise(resolve => setTimeout(resolve, 600));  // without pauses in between, a WebKit that has slept stayed silent for 3 s
    const rows = [...details.querySelectorAll("dl div")];
    return Object.fromEntries(rows.map(row => [row.querySelector("dt").textContent, row.querySelector("dd").textContent]));
})()"""
# Each state that the player's line is in from now on: one may last shorter than it takes to ask for it.
_NOTE_STATES = """(() => {
    window.states = [];
    const note = ({ target }) => target.dataset.testid === "player-state" && window.states.push(target.dataset.state);
    new MutationObserver(changes => changes.forEach(note)).observe(document.body, { subtree: true, attributeFilter: ["data-state"] });
    return true;
})()"""
EXACT_S = 0.02
_numbers = count(2000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the page says about the sound, in seconds."""

    heard: float
    sent: float
    in_pauses: float
    faster: float
    left_out: float
    missed: float  # of what was left out
    gaps: float

    @property
    def counted(self) -> float:
        return self.heard + self.in_pauses + self.faster + self.left_out


NOTHING = Figures(heard=0, sent=0, in_pauses=0, faster=0, left_out=0, missed=0, gaps=0)
"""Before a call."""


class Listener:
    def __init__(self, browser: Driver, network: Network, sound_server: SoundServer) -> None:
        self.browser, self.network = browser, network
        self._sound_server = sound_server
        self._recording = sound_server.record()

    def dial(self) -> None:
        """Dials a number that was not dialled before, and returns once the call is heard."""
        self.browser.open(self.network.url)
        self.browser.until("window.did_handshake === true")
        self.browser.click("dial-number")
        self.browser.type(f"+1 415 555 {next(_numbers)}")
        self.browser.click("dial-call")
        self.until_state("playing")
        self.browser.run(_NOTE_STATES)

    def listen(self, seconds: float) -> Figures:
        """The figures once so much more was heard than until now."""
        enough = self.figures().heard + seconds
        give_up = time.monotonic() + HANG_S
        while (figures := self.figures()).heard < enough:
            assert time.monotonic() < give_up, f"The sound stands still: {figures}, {self.browser.text('player-state')}"
        return figures

    def until_state(self, *states: str) -> str:
        return self.browser.until_attribute("player-state", "data-state", *states)

    def until_passed(self, state: str) -> None:
        """Returns once the player's line has been in this state since the call was first heard, though it may be in another by now."""
        self.browser.until(f"window.states.includes({state!r})")

    def end(self) -> None:
        """Hangs up, and returns once all that came was played."""
        self.browser.click("call-end")
        self.browser.until_attribute("call-status", "data-status", "ended")
        self.until_state("ended")

    def figures(self) -> Figures:
        about = self.browser.run(_ABOUT)
        heard, sent = _seconds(about["Heard"])
        in_pauses, faster = _seconds(about["Caught up"])
        left_out, missed = _seconds(about["Skipped"])
        (gaps,) = _seconds(about["Gaps"])
        return Figures(heard=heard, sent=sent, in_pauses=in_pauses, faster=faster, left_out=left_out, missed=missed, gaps=gaps)

    def told(self, first: int = 0) -> Figures:
        """What the page says once all that came was played. It is held to what went through the network, on connections from `first` on."""
        figures = self.figures()
        sent = self.network.sent(first)
        print(f"{self.browser.name} {self.browser.version}: {figures}; {sent} s went through")  # noqa: T201 - shown where the test failed
        assert figures.sent == pytest.approx(sent, abs=EXACT_S)
        assert figures.counted == pytest.approx(figures.sent, abs=EXACT_S)
        return figures

    def recorded(self, at_least: float = 0.0) -> Sound:
        """What came out since the beginning, or since it was last asked for, once that is `at_least` so many seconds."""
        sound = self._recording.stop(at_least)
        self._recording = self._sound_server.record()
        return sound

    def close(self) -> None:
        self._recording.stop()


def _seconds(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"(\d+\.\d+) s", text)]
