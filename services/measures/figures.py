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
    """How a conversation goes. Times are seconds of the call's sound. `clipped_s`: sound at full scale, by channel. `speaking`: who
    speaks now, of SPEAKERS, also in a pause between two words."""

    conversation: Conversation
    missing: tuple[Stretch, ...]
    clipped_s: tuple[float, float]
    speaking: frozenset[str] = frozenset()

    @property
    def silent_s(self) -> float:
        """For how many seconds of sound nobody has spoken; 0 while somebody speaks. Sound that was lost is no silence."""
        if self.speaking:
            return 0.0
        one = self.conversation
        ends = [*(turn.end for turn in (*one.turns, *one.backchannels)), *(lost.end for lost in self.missing)]
        return one.until - max(ends, default=0.0)

    @property
    def interruptions(self) -> int:
        """By either side."""
        return sum(turn.interrupts for turn in self.conversation.turns)

    def interruptions_by(self, channel: int) -> int:
        """Interruptions by one side."""
        return sum(turn.interrupts for turn in self.conversation.turns if turn.channel == channel)

    def response_times(self, channel: int) -> list[float]:
        """Those of one side's turns, in seconds and in order."""
        return [turn.response_s for turn in self.conversation.turns if turn.channel == channel and turn.response_s is not None]

    def talk_share(self, channel: int) -> float | None:
        """One side's part of all talk, from 0 to 1; None as long as nobody has spoken."""
        talk_s = sum(self.conversation.talk_s)
        return self.conversation.talk_s[channel] / talk_s if talk_s else None

    def brief(self) -> dict[str, Any]:
        """The figures without the lists, as JSON has them."""
        return {
            "seconds": _rounded(self.conversation.until),
            "turnCount": len(self.conversation.turns),
            "responseTime": {speaker: _times(self.response_times(channel)) for channel, speaker in enumerate(SPEAKERS)},
            "interruptions": {f"by{speaker.capitalize()}": self.interruptions_by(channel) for channel, speaker in enumerate(SPEAKERS)},
            "talkShare": {
                speaker: None if (share := self.talk_share(channel)) is None else round(share, 3)
                for channel, speaker in enumerate(SPEAKERS)
            },
            "overlapSeconds": _rounded(self.conversation.overlap_s),
            "missingSeconds": _rounded(sum(lost.end - lost.start for lost in self.missing)),
            "speaking": [speaker for speaker in SPEAKERS if speaker in self.speaking],
            "silentSeconds": _rounded(self.silent_s),
        }

    def json(self) -> dict[str, Any]:
        one = self.conversation
        return self.brief() | {
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
            "silences": _spans(one.silences),
            "missing": _spans(self.missing),
            "backchannels": [
                {"speaker": SPEAKERS[turn.channel], "start": _rounded(turn.start), "end": _rounded(turn.end)} for turn in one.backchannels
            ],
            "clippedSeconds": {speaker: _rounded(self.clipped_s[channel]) for channel, speaker in enumerate(SPEAKERS)},
        }


def _times(seconds: Sequence[float]) -> dict[str, Any]:
    return {"median": quantile(seconds, 0.5), "p90": quantile(seconds, 0.9), "count": len(seconds)}


def quantile(seconds: Sequence[float], share: float) -> float | None:
    """Interpolated between the two nearest values, as numpy's default. None of no values."""
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
