"""The recorded conversation that every answered call plays: its sound in 20 ms frames, and who says what until when."""

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
# From the last word until the line goes dead. The last frame of it may be lost to the closing of the socket, a word may not.
_HANG_UP_SECONDS = 0.5

SUMMARY = (
    "Riley from Wellness Partners called to confirm an appointment with Doctor Chen. The customer could not make it "
    "and moved it to Thursday at 2:15 p.m. at the downtown office; details follow by text message."
)
SUMMARY_CUT_SHORT = "The call ended before the conversation was over."


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Interleaved s16le sound in whole frames, customer left and assistant right, silent at the end; turns in the order of their ends."""

    sample_rate: int
    sound: bytes
    turns: Sequence[Turn]
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
        """What a listener is told right after a frame."""
        return self.events.get(frame, ())

    def spoken(self, seconds: float) -> list[Turn]:
        """The turns that are over `seconds` after the answer."""
        return [turn for turn in self.turns if turn.end <= seconds]


class Tape:
    """The conversation on disk: read once, in a thread, when it is first asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._readings: dict[bool, asyncio.Task[Conversation]] = {}

    def wind(self, *, wide: bool = False) -> asyncio.Task[Conversation]:
        """Begins to read, if that has not been done, so that the conversation is there by the time it is needed."""
        if wide not in self._readings:
            self._readings[wide] = asyncio.create_task(self._widened() if wide else asyncio.to_thread(_read, self._path))
        return self._readings[wide]

    async def conversation(self, *, wide: bool = False) -> Conversation:
        """At 16 kHz, or at 48 kHz if `wide`. Raises OSError or ValueError when it can't be read."""
        # Shielded: a call that ends while it waits must not take the reading away from the others.
        return await asyncio.shield(self.wind(wide=wide))

    async def _widened(self) -> Conversation:
        return await asyncio.to_thread(_upsampled, await self.conversation())

    async def close(self) -> None:
        """Waits until no thread is at work any more: one that reads can't be stopped, and is done in a moment."""
        await asyncio.gather(*self._readings.values(), return_exceptions=True)


# numpy and soundfile are imported by the thread that needs them: a line on which nobody calls costs neither their time nor their memory.


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
    return Conversation(sample_rate=SAMPLE_RATE, sound=padded.astype("<i2").tobytes(), turns=turns, events=_events_by_frame(turns))


def _events_by_frame(turns: Sequence[Turn]) -> Mapping[int, Sequence[Body]]:
    found: defaultdict[int, list[Body]] = defaultdict(list)
    for turn in turns:
        for at, event in events_of(turn):
            found[int(at / FRAME_SECONDS)].append(event)
    return found


def _turn(entry: dict[str, Any]) -> Turn:
    role = "user" if entry["role"] == "customer" else "assistant"
    return Turn(role=role, text=entry["text"], start=entry["start"], end=entry["end"])


def _upsampled(conversation: Conversation) -> Conversation:
    """Three times the sample rate, by a windowed sinc (Kaiser, beta 9, 24 samples to each side), one convolution for each of its phases."""
    import numpy as np

    reach = 24
    around = np.arange(-reach * _UPSAMPLING, reach * _UPSAMPLING + 1)
    kernel = (np.sinc(around / _UPSAMPLING) * np.kaiser(len(around), 9.0)).astype("f4")
    narrow = np.frombuffer(conversation.sound, "<i2").reshape(-1, _CHANNELS).astype("f4")
    wide = np.empty((len(narrow), _UPSAMPLING, _CHANNELS), "<i2")
    for channel in range(_CHANNELS):
        for phase in range(_UPSAMPLING):
            fine = np.convolve(narrow[:, channel], kernel[phase::_UPSAMPLING])[reach : reach + len(narrow)]
            wide[:, phase, channel] = np.clip(np.rint(fine), -32768, 32767)
    return replace(conversation, sample_rate=conversation.sample_rate * _UPSAMPLING, sound=wide.tobytes())
