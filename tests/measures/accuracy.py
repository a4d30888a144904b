"""How far found turns are from the truth."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from services.measures.turns import Turn as Found
from tests.measures.conversations import SPEAKERS, Conversation, Turn


@dataclass
class Accuracy:
    """Over any number of conversations. Errors in seconds, found minus true."""

    starts: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    responses: list[float] = field(default_factory=list)
    missed_turns: int = 0
    extra_turns: int = 0
    right_interruptions: int = 0
    missed_interruptions: int = 0
    false_interruptions: int = 0

    def add(self, truth: Conversation, turns: Sequence[Found]) -> None:
        left = list(turns)
        for true in truth.turns:
            found = max((one for one in left if _overlap(true, one) > 0), key=lambda one: _overlap(true, one), default=None)
            if found is None:
                self.missed_turns += 1
                self.missed_interruptions += true.interrupts
                continue
            left.remove(found)
            self.starts.append(found.start - true.start)
            self.ends.append(found.end - true.end)
            if true.response is not None and found.response_s is not None:
                self.responses.append(found.response_s - true.response)
            self.right_interruptions += true.interrupts and found.interrupts
            self.missed_interruptions += true.interrupts and not found.interrupts
            self.false_interruptions += found.interrupts and not true.interrupts
        self.extra_turns += len(left)
        self.false_interruptions += sum(one.interrupts for one in left)

    def boundaries(self, percentile: float) -> float:
        return quantile((*self.starts, *self.ends), percentile)

    def response(self, percentile: float) -> float:
        return quantile(self.responses, percentile)

    @property
    def precision(self) -> float:
        return self.right_interruptions / max(1, self.right_interruptions + self.false_interruptions)

    @property
    def recall(self) -> float:
        return self.right_interruptions / max(1, self.right_interruptions + self.missed_interruptions)

    def row(self) -> str:
        boundaries, responses = ([f"{1000 * of(p):.0f}" for p in (50, 95)] for of in (self.boundaries, self.response))
        return (
            f"boundaries {boundaries[0]:>4} / {boundaries[1]:>4} ms   response {responses[0]:>4} / {responses[1]:>4} ms   "
            f"interruptions {self.precision:.2f} / {self.recall:.2f}   turns missed {self.missed_turns}, extra {self.extra_turns}, "
            f"of {len(self.starts) + self.missed_turns}"
        )


def quantile(errors: Iterable[float], percentile: float) -> float:
    sizes = np.abs(list(errors))
    return float(np.percentile(sizes, percentile)) if len(sizes) else float("nan")


def _overlap(true: Turn, found: Found) -> float:
    if SPEAKERS[found.channel] != true.speaker:
        return 0.0
    return min(true.end, found.end) - max(true.start, found.start)
