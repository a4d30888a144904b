"""The sound of a listen stream: headerless PCM and the text frame that announces it. Pure: no I/O, no arrays."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Encoding = Literal["s16le", "mulaw"]

_BYTES_PER_SAMPLE: dict[Encoding, int] = {"s16le": 2, "mulaw": 1}
_WIRE_NAME: dict[Encoding, str] = {"s16le": "linear16", "mulaw": "mulaw"}
_SPELLINGS: dict[str, Encoding] = {
    **dict.fromkeys(("linear16", "linear", "lpcm", "pcm", "pcm16", "pcm16le", "pcms16le", "s16le"), "s16le"),
    **dict.fromkeys(("mulaw", "ulaw", "pcmmulaw", "pcmulaw", "pcmu", "g711ulaw", "g711mulaw"), "mulaw"),
}
_MU = {0xB5: "mu", 0x3BC: "mu"}  # micro sign, Greek mu
_DECORATION = re.compile(r"^audio/(x-)?|^x-|;.*|[^a-z0-9]")
_SAMPLE_RATES = range(8_000, 96_001)
_CHANNELS = range(1, 9)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFormat:
    """How to read a stream's bytes: interleaved samples, `sample_rate` in Hz per channel."""

    sample_rate: int
    channels: int
    encoding: Encoding = "s16le"

    @property
    def block_size(self) -> int:
        """Bytes of one sample of every channel. Cutting anywhere else swaps channels or turns speech into noise."""
        return self.channels * _BYTES_PER_SAMPLE[self.encoding]

    @property
    def bytes_per_second(self) -> int:
        return self.sample_rate * self.block_size

    @classmethod
    def parse(cls, start: Mapping[str, Any]) -> "StreamFormat | None":
        """The format that a start frame announces, in any spelling: `mulaw`, `audio/x-mulaw`, `PCMU`. None if it is invalid or not known,
        so that nothing is decoded by a guess that looks like an announcement."""
        rate = _whole(start.get("sampleRate", start.get("sample_rate")))
        channels = _whole(start.get("channels"))
        spelling = _DECORATION.sub("", str(start.get("encoding", "linear16")).lower().translate(_MU))
        if rate not in _SAMPLE_RATES or channels not in _CHANNELS or spelling not in _SPELLINGS:
            return None
        return cls(sample_rate=rate, channels=channels, encoding=_SPELLINGS[spelling])

    def start_frame(self, *, assumed: bool = False, stream: str = "", position: int = 0) -> str:
        """The text frame that announces this format. `assumed`: the source itself did not announce it.

        `stream` names a connection to the source, and `position` is how many of its bytes came before this frame: from both, somebody who
        was disconnected meanwhile knows how many bytes they missed.
        """
        frame: dict[str, Any] = {
            "type": "start",
            "encoding": _WIRE_NAME[self.encoding],
            "container": "raw",
            "sampleRate": self.sample_rate,
            "channels": self.channels,
        }
        if assumed:
            frame["assumed"] = True
        if stream:
            frame |= {"stream": stream, "position": position}
        return json.dumps(frame, separators=(",", ":"))


DEFAULT_FORMAT = StreamFormat(sample_rate=16_000, channels=2)
"""What Vapi sends on phone calls (docs.vapi.ai/customization/custom-transcriber): left is the customer, right the assistant."""


def _whole(value: object) -> int:
    """`value` as a whole number, or -1: JSON writers send 16000, 16000.0 and "16000" alike."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else -1
