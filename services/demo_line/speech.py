"""What the listen socket tells of somebody who speaks: that they begin, what is understood so far, what they said, that they stop."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]

_PARTIAL_SECONDS = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one side says in one go. `role` is Vapi's word, `user` or `assistant`; times in seconds from the answer."""

    role: str
    text: str
    start: float
    end: float


def events_of(turn: Turn) -> Iterator[tuple[float, Body]]:
    """The events of one turn, each with its time in seconds from the answer."""
    yield turn.start, {"type": "speech-update", "status": "started", "role": turn.role}
    words = turn.text.split()
    spoken, told = turn.start + _PARTIAL_SECONDS, 0
    while spoken < turn.end:
        understood = int(len(words) * (spoken - turn.start) / (turn.end - turn.start))
        if understood > told:
            told = understood
            yield spoken, _transcript(turn, "partial", " ".join(words[:understood]))
        spoken += _PARTIAL_SECONDS
    yield turn.end, _transcript(turn, "final", turn.text)
    yield turn.end, {"type": "speech-update", "status": "stopped", "role": turn.role}


def _transcript(turn: Turn, kind: str, text: str) -> Body:
    return {"type": "transcript", "role": turn.role, "transcriptType": kind, "transcript": text}
