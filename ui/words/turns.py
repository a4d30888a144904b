"""The turns of a conversation as the page marks and describes them."""

from typing import TypedDict

from services.measures.figures import SPEAKERS
from services.measures.measured import Measured
from ui.words import decimal, say

AT_ONCE_S = 0.05
"""Less would be written as 0.0; and who begins over the other's last sound answers after less than nothing."""


class SaidTurn(TypedDict):
    """Times are in ms since 1970. `wait` is how long an answer took, null if this is none that took any time. `figure` stands beside the
    turn's words, `text` explains its mark, `short` labels it."""

    speaker: str
    start: float
    end: float
    wait: float | None
    interrupts: bool
    figure: str
    text: str
    short: str


def said_turns(measured: Measured, *, since_s: float = 0.0) -> list[SaidTurn]:
    """The turns that end after `since_s`, in seconds of the call's sound."""
    found = []
    for turn in measured.figures.conversation.turns:
        if turn.end < since_s:
            continue
        speaker, other = SPEAKERS[turn.channel], SPEAKERS[1 - turn.channel]
        figure = text = short = ""
        wait = turn.response_s if turn.response_s is not None and turn.response_s >= AT_ONCE_S else None
        if wait is not None:
            seconds = decimal(wait)
            figure, text, short = say("turn_answered", seconds=seconds), say(f"turn_answered_{speaker}", seconds=seconds), f"{seconds} s"
        elif turn.response_s is not None:
            figure = say("turn_at_once")
        elif turn.interrupts:
            figure, text = say(f"turn_over_{other}"), say(f"turn_interrupted_{speaker}")
        found.append(
            SaidTurn(
                speaker=speaker,
                start=1000 * (measured.started_at + turn.start),
                end=1000 * (measured.started_at + turn.end),
                wait=None if wait is None else 1000 * wait,
                interrupts=turn.interrupts,
                figure=figure,
                text=text,
                short=short,
            )
        )
    return found
