"""The recorded conversations that answered calls play: sound in 20 ms frames, and the turns with their times."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from services.demo_line.speech import Body, Turn, events_of

FRAME_SECONDS = 0.02
SAMPLE_RATE = 16_000
_CHANNELS = 2
_SAMPLE_BYTES = 2
_UPSAMPLING = 3
# Silence after the last word. The last frame may be lost when the socket closes; a word must not be.
_HANG_UP_SECONDS = 0.5

SUMMARY = (
    "Riley from Wellness Partners called to confirm an appointment with Doctor Chen. The customer could not make it "
    "and moved it to Thursday at 2:15 p.m. at the downtown office; details follow by text message."
)
SUMMARY_CUT_SHORT = "The call ended before the conversation was over."


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What the listen socket tells besides speech, `at` seconds after the answer: a tool call, a change of node, an interruption."""

    at: float
    event: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Interleaved s16le sound in whole frames, customer left and assistant right, silent at the end. Turns are ordered by their end."""

    sample_rate: int
    sound: bytes
    turns: Sequence[Turn]
    happenings: Sequence[Happening] = ()
    events: Mapping[int, Sequence[Body]] = field(default_factory=dict)

    @property
    def frame_bytes(self) -> int:
        return round(self.sample_rate * FRAME_SECONDS) * _CHANNELS * _SAMPLE_BYTES

    @property
    def frame_count(self) -> int:
        return len(self.sound) // self.frame_bytes

    @property
    def seconds(self) -> float:
        return self.frame_count * FRAME_SECONDS

    def frame(self, index: int) -> bytes:
        return self.sound[index * self.frame_bytes : (index + 1) * self.frame_bytes]

    def events_at(self, frame: int) -> Sequence[Body]:
        """The events that follow a frame."""
        return self.events.get(frame, ())

    def beginning_with(self, text: str) -> "Conversation":
        """The same sound, with `text` as what the assistant says first: there is no voice to speak it."""
        first = min((turn for turn in self.turns if turn.role == "assistant"), key=lambda turn: turn.start, default=None)
        if first is None:
            return self
        turns = [replace(turn, text=text) if turn is first else turn for turn in self.turns]
        return replace(self, turns=turns, events=_events_by_frame(turns, self.happenings))

    def spoken(self, seconds: float) -> list[Turn]:
        """The turns that have ended `seconds` after the answer."""
        return [turn for turn in self.turns if turn.end <= seconds]


class ConversationFile:
    """The conversation on disk. It is read once, in a thread, when it is first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reads: dict[bool, asyncio.Task[Conversation]] = {}

    def preload(self, *, at_48k: bool = False) -> asyncio.Task[Conversation]:
        """Starts to read, unless that was done before, so that the conversation is ready by the time it is needed."""
        if at_48k not in self._reads:
            self._reads[at_48k] = asyncio.create_task(self._read_at_48k() if at_48k else asyncio.to_thread(_read, self._path))
        return self._reads[at_48k]

    async def conversation(self, *, at_48k: bool = False) -> Conversation:
        """At 16 kHz, or at 48 kHz if `at_48k`. Raises OSError or ValueError when it can't be read."""
        # Shielded: a call that ends while it waits must not cancel the read that other calls wait for.
        return await asyncio.shield(self.preload(at_48k=at_48k))

    async def _read_at_48k(self) -> Conversation:
        return await asyncio.to_thread(_upsampled, await self.conversation())

    async def close(self) -> None:
        """Waits for reading threads, which can't be cancelled and take a fraction of a second."""
        await asyncio.gather(*self._reads.values(), return_exceptions=True)


# numpy and soundfile are imported by the thread that needs them, so that they cost no time and memory before the first call.


def _read(path: Path) -> Conversation:
    import numpy as np
    import soundfile

    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    if rate != SAMPLE_RATE or samples.shape[1] != _CHANNELS:
        raise ValueError(f"{path.name} must have {SAMPLE_RATE} Hz and {_CHANNELS} channels, not {rate} Hz and {samples.shape[1]}")
    silence = -len(samples) % round(SAMPLE_RATE * FRAME_SECONDS) + round(SAMPLE_RATE * _HANG_UP_SECONDS)
    padded = np.pad(samples, ((0, silence), (0, 0)))
    notes = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    turns = sorted((_turn(entry) for entry in notes["turns"]), key=lambda turn: turn.end)
    happenings = [Happening(at=entry["at"], event=entry["event"]) for entry in notes.get("events", ())]
    events = _events_by_frame(turns, happenings)
    return Conversation(sample_rate=SAMPLE_RATE, sound=padded.astype("<i2").tobytes(), turns=turns, happenings=happenings, events=events)


def _events_by_frame(turns: Sequence[Turn], happenings: Sequence[Happening]) -> Mapping[int, Sequence[Body]]:
    found: defaultdict[int, list[Body]] = defaultdict(list)
    for one in happenings:
        found[int(one.at / FRAME_SECONDS)].append(one.event)
    for turn in turns:
        for at, event in events_of(turn):
            found[int(at / FRAME_SECONDS)].append(event)
    return found


def _turn(entry: dict[str, Any]) -> Turn:
    role = "user" if entry["role"] == "customer" else "assistant"
    return Turn(role=role, text=entry["text"], start=entry["start"], end=entry["end"])


def _upsampled(conversation: Conversation) -> Conversation:
    """Triples the sample rate with a windowed sinc (Kaiser, beta 9, 24 samples to each side), one convolution per phase."""
    import numpy as np

    half_width = 24
    positions = np.arange(-half_width * _UPSAMPLING, half_width * _UPSAMPLING + 1)
    kernel = (np.sinc(positions / _UPSAMPLING) * np.kaiser(len(positions), 9.0)).astype("f4")
    samples = np.frombuffer(conversation.sound, "<i2").reshape(-1, _CHANNELS).astype("f4")
    upsampled = np.empty((len(samples), _UPSAMPLING, _CHANNELS), "<i2")
    for channel in range(_CHANNELS):
        for phase in range(_UPSAMPLING):
            filtered = np.convolve(samples[:, channel], kernel[phase::_UPSAMPLING])[half_width : half_width + len(samples)]
            upsampled[:, phase, channel] = np.clip(np.rint(filtered), -32768, 32767)
    return replace(conversation, sample_rate=conversation.sample_rate * _UPSAMPLING, sound=upsampled.tobytes())
