"""The figures of a conversation, as JSON has them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from services.measures.floor import Conversation
from services.measures.turns import Stretch

SPEAKERS = ("customer", "assistant")
"""By channel."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How a conversation goes. Times are seconds of the call's sound. `clipped_s`: sound at full scale, by channel."""

    conversation: Conversation
    missing: Sequence[Stretch]
    clipped_s: tuple[float, float]

    def json(self) -> dict[str, Any]:
        one = self.conversation
        talk_s = sum(one.talk_s)
        return {
            "seconds": _rounded(one.until),
            "turns": [
                {
                    "speaker": SPEAKERS[turn.channel],
                    "start": _rounded(turn.start),
                    "end": _rounded(turn.end),
                    "responseSeconds": None if turn.response_s is None else _rounded(turn.response_s),
                    "interrupts": turn.interrupts,
                }
                for turn in one.turns
            ],
            "responseTime": {
                speaker: _times([turn.response_s for turn in one.turns if turn.channel == channel and turn.response_s is not None])
                for channel, speaker in enumerate(SPEAKERS)
            },
            "interruptions": {
                f"by{speaker.capitalize()}": sum(turn.interrupts for turn in one.turns if turn.channel == channel)
                for channel, speaker in enumerate(SPEAKERS)
            },
            "talkShare": {speaker: round(one.talk_s[channel] / talk_s, 3) if talk_s else None for channel, speaker in enumerate(SPEAKERS)},
            "silences": _spans(one.silences),
            "overlapSeconds": _rounded(one.overlap_s),
            "missing": _spans(self.missing),
            "backchannels": [
                {"speaker": SPEAKERS[turn.channel], "start": _rounded(turn.start), "end": _rounded(turn.end)} for turn in one.backchannels
            ],
            "clippedSeconds": {speaker: _rounded(self.clipped_s[channel]) for channel, speaker in enumerate(SPEAKERS)},
        }


def _times(seconds: Sequence[float]) -> dict[str, Any]:
    return {"median": _quantile(seconds, 0.5), "p90": _quantile(seconds, 0.9), "count": len(seconds)}


def _quantile(seconds: Sequence[float], share: float) -> float | None:
    """Between the two nearest values, as numpy's default."""
    if not seconds:
        return None
    ordered = sorted(seconds)
    below, part = divmod(share * (len(ordered) - 1), 1)
    low, high = ordered[int(below)], ordered[min(int(below) + 1, len(ordered) - 1)]
    return _rounded(low + part * (high - low))


def _spans(stretches: Iterable[Stretch]) -> list[dict[str, float]]:
    return [{"start": _rounded(one.start), "end": _rounded(one.end)} for one in stretches]


def _rounded(seconds: float) -> float:
    return round(seconds, 3)
