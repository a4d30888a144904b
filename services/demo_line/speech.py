"""The events of one turn on the listen socket: speech started, partial transcripts, final transcript, speech stopped."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

Body = dict[str, Any]

_PARTIAL_SECONDS = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of one speaker. `role` is Vapi's word, `user` or `assistant`; times are in seconds from the answer."""

    role: str
    text: str
    start: float
    end: float


def events_of(turn: Turn) -> Iterator[tuple[float, Body]]:
    """The events of one turn, each with its time in seconds from the answer."""
    yield turn.start, {"type": "speech-update", "status": "started", "role": turn.role}
    words = turn.text.split()
    spoken, transcribed = turn.start + _PARTIAL_SECONDS, 0
    while spoken < turn.end:
        so_far = int(len(words) * (spoken - turn.start) / (turn.end - turn.start))
        if so_far > transcribed:
            transcribed = so_far
            yield spoken, _transcript(turn, "partial", " ".join(words[:so_far]))
        spoken += _PARTIAL_SECONDS
    yield turn.end, _transcript(turn, "final", turn.text)
    yield turn.end, {"type": "speech-update", "status": "stopped", "role": turn.role}


def cut_short(turn: Turn, now: float) -> Turn:
    """The turn as far as it was spoken until `now`."""
    words = turn.text.split()
    spoken = int(len(words) * min(1.0, (now - turn.start) / (turn.end - turn.start)))
    return replace(turn, text=" ".join(words[:spoken]), end=max(now, turn.start))


def _transcript(turn: Turn, kind: str, text: str) -> Body:
    return {"type": "transcript", "role": turn.role, "transcriptType": kind, "transcript": text}
