"""Notes what Vapi sends during one call, for a report that can be shown to anybody: formats, sizes, times and names of fields, but no id,
number, name, address or word that was said. Pure.
"""

import json
import re
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from services.domain.stream_format import DEFAULT_FORMAT, StreamFormat
from services.vapi import values
from services.vapi.addresses import parts_of

_LOUD = 500  # of 32768: well above the noise of a quiet line
_MOST_FRAMES = 20_000  # more are counted, but not measured
_HIGHEST_RATE = 1_000_000  # Hz; a larger number in a start frame is no format
_START = ("type", "encoding", "container", "sampleRate", "sample_rate", "channels")
"""The fields of a start frame whose values are of use, and can say nothing about a person."""
_SCHEMES = ("ws", "wss", "http", "https")
_HIDDEN = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{4,}", re.IGNORECASE)


@dataclass(slots=True)
class WireNotes:
    """Times are in seconds from the dial."""

    states: list[tuple[float, str]] = field(default_factory=list)
    fields: set[str] = field(default_factory=set)
    refusals: Counter[str] = field(default_factory=Counter)
    opened: list[float] = field(default_factory=list)
    closes: list[tuple[float, str]] = field(default_factory=list)
    texts: dict[str, list[float]] = field(default_factory=dict)
    text_fields: dict[str, set[str]] = field(default_factory=dict)
    wrapped: int = 0
    start: dict[str, Any] | None = None
    first_speaker: tuple[float, str] | None = None
    after: list[str] = field(default_factory=list)
    _frames: list[tuple[float, int]] = field(default_factory=list)
    _count: int = 0
    _bytes: int = 0
    _heard: dict[int, float] = field(default_factory=dict)

    def state(self, at: float, status: str) -> None:
        """The call's state, as known at `at`."""
        if not self.states or self.states[-1][1] != status:
            self.states.append((at, status))

    def body(self, at: float, body: Any) -> None:
        """Vapi's JSON of the call, as read at `at`."""
        if not isinstance(body, dict):
            return
        self.state(at, _word(body.get("status")))
        self.fields |= {f"{name}: {_kind(value)}" for name, value in body.items() if _is_name(name)}
        for name, url in (body.get("monitor") or {}).items() if isinstance(body.get("monitor"), dict) else ():
            self.fields.add(f"monitor.{_word(name)}: {_place(url)}")
        for part in ("artifact", "analysis", "subscriptionLimits"):
            if isinstance(body.get(part), dict):
                self.fields |= {f"{part}.{name}: {_kind(value)}" for name, value in body[part].items() if _is_name(name)}

    def ended(self, reason: str | None) -> None:
        """The call's `endedReason`."""
        self.after.append(f"ended reason: {_word(reason)}")

    def frame(self, at: float, frame: str | bytes) -> None:
        """A frame of the listen socket."""
        if isinstance(frame, str):
            self._text(at, frame)
        else:
            self._sound(at, frame)

    def _text(self, at: float, frame: str) -> None:
        try:
            message = json.loads(frame)
        except (ValueError, RecursionError):
            message = None
        if isinstance(message, dict) and isinstance(message.get("message"), dict):
            self.wrapped += 1
            message = message["message"]
        if not isinstance(message, dict):
            self.texts.setdefault("(not a JSON object)", []).append(at)
            return
        kind = _word(message.get("type"))
        self.texts.setdefault(kind, []).append(at)
        self.text_fields.setdefault(kind, set()).update(f"{name}: {_kind(value)}" for name, value in message.items() if _is_name(name))
        if kind == "start" and self.start is None:
            self.start = {name: value for name in _START if name in message and _is_plain(value := message[name])}
        role = message.get("role")
        if self.first_speaker is None and isinstance(role, str) and kind.startswith(("speech-update", "transcript")):
            self.first_speaker = (at, values.speaker(role) or "unknown")

    def _sound(self, at: float, frame: bytes) -> None:
        self._count += 1
        self._bytes += len(frame)
        if len(self._frames) < _MOST_FRAMES:
            self._frames.append((at, len(frame)))
        form = StreamFormat.parse(self.start or {}) or DEFAULT_FORMAT
        if form.encoding == "s16le" and len(self._heard) < form.channels:
            whole = len(frame) - len(frame) % (2 * form.channels)
            levels = np.abs(np.frombuffer(frame[:whole], "<i2").reshape(-1, form.channels).astype(np.int32))
            for channel in np.flatnonzero(levels.max(axis=0, initial=0) > _LOUD) if whole else ():
                self._heard.setdefault(int(channel), at)

    def report(self) -> str:
        """Markdown."""
        return "\n".join([*self._about_states(), *self._about_socket(), *self._about_sound(), *self._about_events(), *self._about_body()])

    def _about_states(self) -> Iterable[str]:
        yield "### States, in seconds from the dial"
        yield from (f"- {at:.1f} {status}" for at, status in self.states)

    def _about_socket(self) -> Iterable[str]:
        yield "\n### Listen socket"
        yield from (f"- refused {count} times with {how}" for how, count in self.refusals.items())
        yield from (f"- opened at {at:.1f}" for at in self.opened)
        yield from (f"- closed at {at:.1f} with {how}" for at, how in self.closes)
        yield f"- start frame: {json.dumps(self.start) if self.start else 'none'}"

    def _about_sound(self) -> Iterable[str]:
        yield "\n### Sound"
        yield f"- {self._count} frames, {self._bytes} bytes"
        if len(self._frames) > 2:
            sizes = Counter(size for _, size in self._frames).most_common(5)
            yield f"- sizes in bytes: {', '.join(f'{size} ({count} times)' for size, count in sizes)}"
            gaps = sorted(1000 * (later - earlier) for (earlier, _), (later, _) in pairwise(self._frames))
            middle, late = statistics.median(gaps), gaps[int(0.99 * (len(gaps) - 1))]
            yield f"- from frame to frame: median {middle:.0f} ms, 99th percentile {late:.0f} ms, longest {gaps[-1]:.0f} ms"
            first, last = self._frames[0][0], self._frames[-1][0]
            if last - first > 1:
                yield f"- {sum(size for _, size in self._frames[1:]) / (last - first):.0f} bytes per second"
        yield from (f"- channel {channel} is first heard at {at:.1f}" for channel, at in sorted(self._heard.items()))
        yield f"- {self._order()}"

    def _order(self) -> str:
        """Which channel is whose, by who is said to speak first."""
        if not self._heard or not self.first_speaker:
            return "the order of the channels can't be told: nobody was heard, or nobody was said to speak"
        at, speaker = self.first_speaker
        channel = min(self._heard, key=lambda channel: self._heard[channel])
        fits = {"customer": 0, "assistant": 1}.get(speaker) == channel
        return (
            f"the first to speak is the {speaker} (told at {at:.1f}), the first channel heard is {channel}: "
            f"{'as' if fits else 'NOT as'} Earshot expects (0 is the customer, 1 the assistant)"
        )

    def _about_events(self) -> Iterable[str]:
        yield "\n### Text frames by type"
        for kind, times in self.texts.items():
            fields = ", ".join(sorted(self.text_fields.get(kind, ())))
            yield f"- {kind}: {len(times)} times, from {times[0]:.1f} to {times[-1]:.1f}; {fields}"
        yield f"- wrapped in `message`: {self.wrapped}"

    def _about_body(self) -> Iterable[str]:
        yield "\n### After the call"
        yield from (f"- {line}" for line in self.after)
        yield "\n### Fields of the call"
        yield from (f"- {name}" for name in sorted(self.fields))


def _is_name(name: object) -> bool:
    """True for what can be a field's name, but no id or number."""
    return isinstance(name, str) and bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,40}", name)) and not _HIDDEN.search(name)


def _is_plain(value: Any) -> bool:
    """True for a number of a format, and for the name of one."""
    return values.amount(value, most=_HIGHEST_RATE) is not None or _is_name(value)


def _word(value: Any) -> str:
    """A status or type as Vapi spells it; anything else only by its kind."""
    if isinstance(value, str) and re.fullmatch(r'[a-z][a-zA-Z0-9.\[\]="-]{0,140}', value) and not _HIDDEN.search(value):
        return value
    return f"({_kind(value)})"


def _kind(value: Any) -> str:
    names = {str: "string", bool: "boolean", int: "number", float: "number", dict: "object", list: "list", type(None): "null"}
    return names.get(type(value), "unknown")


def _place(url: Any) -> str:
    """The scheme and the host of an address at Vapi, with its digits hidden."""
    parts = parts_of(url)
    if parts is None:
        return f"({_kind(url)})"
    host = parts.hostname or ""
    shown = re.sub(r"[0-9]+", "#", host) if host.endswith(".vapi.ai") else "another host"
    return f"{parts.scheme if parts.scheme in _SCHEMES else 'another scheme'}://{shown}"
