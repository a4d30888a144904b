"""What in a running conversation needs somebody: sound that is lost, a long silence, interruptions in a row, slow answers. Pure."""

from dataclasses import dataclass
from typing import Literal

from services.measures.figures import SPEAKERS, Figures, quantile

SILENT_S = 6.0
"""Most people ask "are you there?" after four to six seconds."""
LOST_S = 4.0
SLOW_S = 2.0
"""Answers within a second feel natural; from two on people repeat themselves."""
_ANSWERS = 3  # the latest ones of the assistant, whose median counts: a single slow one may be a tool that was used
_INTERRUPTIONS = 2  # among the latest turns
_TURNS = 4

Kind = Literal["lost", "silent", "interrupted", "slow"]
KINDS: tuple[Kind, ...] = ("lost", "silent", "interrupted", "slow")
"""The worst first."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """`amount` is in seconds; of `interrupted` it is a number of turns."""

    kind: Kind
    amount: float


def trouble(figures: Figures, *, stale_s: float = 0.0) -> Trouble | None:
    """The worst there is at the moment. `stale_s`: for how many seconds no figures have come, though the call goes on."""
    if stale_s >= LOST_S:
        return Trouble("lost", stale_s)
    if figures.silent_s >= SILENT_S:
        return Trouble("silent", figures.silent_s)
    latest = figures.conversation.turns[-_TURNS:]
    if (count := sum(turn.interrupts for turn in latest)) >= _INTERRUPTIONS:
        return Trouble("interrupted", count)
    answers = figures.response_times(SPEAKERS.index("assistant"))[-_ANSWERS:]
    usual = quantile(answers, 0.5)
    if len(answers) == _ANSWERS and usual is not None and usual >= SLOW_S:
        return Trouble("slow", usual)
    return None
