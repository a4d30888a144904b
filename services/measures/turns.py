"""Makes turns of who spoke when. Pure: times in seconds."""

from collections.abc import Sequence
from dataclasses import dataclass

TURN_PAUSE_S = 1.0
"""A longer pause ends a turn even if nobody else speaks."""
OVERLAP_S = 0.15
"""Who begins no more than this before the other's end was only quick to answer."""
BACKCHANNEL_S = 0.8
"""Longer speech over the other's is no backchannel ("mhm", "yes")."""
REACTION_S = 0.2
"""Nobody falls silent sooner than this after the other began, nor begins because of it."""
_AFTER_BACKCHANNEL_S = 0.6  # a longer pause after what may be a backchannel, over which the other went on, makes it one


@dataclass(frozen=True, slots=True)
class Stretch:
    """Speech of one channel without a pause worth mentioning."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Turn:
    """`response_s`: from the end of the other's turn to the start of this one; None after an overlap, a long pause of one's own and at the
    beginning. `interrupts`: it began over the other's turn, which ended because of it."""

    channel: int
    start: float
    end: float
    response_s: float | None = None
    interrupts: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """Who took turns, and who said "mhm" while the other went on."""

    turns: Sequence[Turn] = ()
    backchannels: Sequence[Turn] = ()


def taken(speech: tuple[Sequence[Stretch], Sequence[Stretch]], last: Turn | None = None) -> Taken:
    """The turns of each channel's stretches, which are in order. `last` is the turn before them."""
    utterances: tuple[list[Turn], list[Turn]] = ([], [])
    for start, channel, end in sorted((one.start, number, one.end) for number in (0, 1) for one in speech[number]):
        own, other = utterances[channel], utterances[1 - channel]
        if own and _continues(own[-1], start, other[-1] if other else None, speech[1 - channel]):
            own[-1] = Turn(channel, own[-1].start, end)
        else:
            own.append(Turn(channel, start, end))
    turns: list[Turn] = []
    backchannels: list[Turn] = []
    for one in sorted((*utterances[0], *utterances[1]), key=lambda one: one.start):
        # Within the other's turn, which a longer pause of the other would have ended.
        if one.end - one.start <= BACKCHANNEL_S and any(
            other.start < one.start and one.end < other.end for other in utterances[1 - one.channel]
        ):
            backchannels.append(one)
        else:
            turns.append(_answering(one, turns[-1] if turns else last))
    return Taken(turns, backchannels)


def _continues(own: Turn, start: float, other: Turn | None, others: Sequence[Stretch]) -> bool:
    """Whether who spoke in `own` goes on at `start`, rather than to begin anew after a pause or after the other began."""
    pause = start - own.end
    if pause > TURN_PAUSE_S or (other is not None and own.end <= other.start < start - REACTION_S):
        return False
    over = own.end - own.start <= BACKCHANNEL_S and any(one.start < own.start and own.end < one.end for one in others)
    return not over or pause <= _AFTER_BACKCHANNEL_S


def _answering(turn: Turn, last: Turn | None) -> Turn:
    if last is None or last.channel == turn.channel:
        return turn
    gap = turn.start - last.end
    if gap >= -OVERLAP_S:
        return Turn(turn.channel, turn.start, turn.end, response_s=gap)
    return Turn(turn.channel, turn.start, turn.end, interrupts=last.end < turn.end)
