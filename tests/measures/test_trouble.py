"""Which running conversation needs somebody, and which trouble is the worst."""

import pytest

from services.measures.figures import Figures
from services.measures.floor import Conversation
from services.measures.trouble import LOST_S, Trouble, trouble
from services.measures.turns import Stretch, Turn

CUSTOMER, ASSISTANT = 0, 1


def figures(*turns: Turn, until: float | None = None, speaking: frozenset[str] = frozenset(), missing: tuple[Stretch, ...] = ()) -> Figures:
    end = turns[-1].end if turns else 0.0
    return Figures(Conversation(until=end if until is None else until, turns=turns), missing, (0.0, 0.0), speaking)


def answers(*response_s: float) -> list[Turn]:
    """Turns of both sides; the assistant answers after these times."""
    turns: list[Turn] = []
    now = 0.0
    for pause in response_s:
        turns += [Turn(CUSTOMER, now, now + 1, 0.3), Turn(ASSISTANT, now + 1 + pause, now + 3 + pause, pause)]
        now += 3.3 + pause
    return turns


@pytest.mark.parametrize(
    ("of", "found"),
    [
        (figures(), None),
        (figures(*answers(0.9, 0.8, 1.1)), None),
        (figures(*answers(0.5, 2.0, 2.4, 3.0)), Trouble("slow", 2.4)),
        (figures(*answers(0.5, 0.6, 9.0)), None),  # a single slow answer may be a tool that was used
        (figures(*answers(2.5, 2.5)), None),
        (figures(Turn(ASSISTANT, 0, 2), until=7.9), None),
        (figures(Turn(ASSISTANT, 0, 2), until=8.0), Trouble("silent", 6.0)),
        (figures(Turn(ASSISTANT, 0, 2), until=20, speaking=frozenset({"customer"})), None),
        (figures(Turn(ASSISTANT, 0, 2), until=20, missing=(Stretch(3, 19),)), None),  # nobody knows what was said there
        (figures(Turn(0, 0, 2), Turn(1, 1, 4, interrupts=True), Turn(0, 5, 6)), None),
        (figures(Turn(0, 0, 2), Turn(1, 1, 4, interrupts=True), Turn(0, 3, 6, interrupts=True)), Trouble("interrupted", 2)),
        (figures(*[Turn(k % 2, k, k + 1.5, interrupts=True) for k in range(2)], *answers(1, 1)), None),  # long ago
    ],
)
def test_trouble_is_what_lasts_or_repeats(of: Figures, found: Trouble | None) -> None:
    assert trouble(of) == found


def test_the_worst_comes_first() -> None:
    interrupted = [Turn(k % 2, k, k + 1.5, interrupts=True) for k in range(4)]
    assert trouble(figures(*interrupted, until=4.5)) == Trouble("interrupted", 4)
    silent = figures(*interrupted, until=30)
    assert trouble(silent) == Trouble("silent", 25.5)
    assert trouble(silent, stale_s=LOST_S) == Trouble("lost", LOST_S)
    assert trouble(silent, stale_s=LOST_S - 0.1) == Trouble("silent", 25.5)
