"""Reads the text frames of a listen socket. Passes on only the known fields of the few events that concern a listener.

What else happens in a call is read by services/vapi/occurrences.py.

Vapi sends events flat or wrapped in `{"message": {...}}` (docs.vapi.ai/calls/call-listen, docs.vapi.ai/server-url/events). A wrapped event
may carry the whole call with its listen and control URLs, which are bearer secrets, so fields that are not named here are dropped.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.domain.speech import SpeechChange, SpeechEvent, Utterance
from services.domain.stream_format import StreamFormat
from services.domain.text import clean_text
from services.vapi import values
from services.vapi.occurrences import occurrences_of

Fields = dict[str, str | float]

_FIELDS: dict[str, tuple[str, ...]] = {
    "transcript": ("role", "transcriptType", "transcript", "time"),
    "status-update": ("status", "endedReason"),
    "speech-update": ("status", "role"),
    "user-interrupted": (),
    "hang": (),
}
_REQUIRED = {"transcript": "transcript", "status-update": "status", "speech-update": "status"}
_NAMED_TRANSCRIPT = re.compile(r"transcript\[transcriptType=[\"']?(\w+)[\"']?\]")
_LONGEST_FRAME = 256 * 1024  # characters; parsing longer frames would delay the sound
_LATEST_TIME = 1e15  # milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenEvent:
    """An event of a listen socket: `frame` is the JSON text for listeners, empty if they need none; `events` is what it says."""

    frame: str
    events: tuple[SpeechEvent, ...] = ()


def read(frame: str) -> ListenEvent | StreamFormat | None:
    """Reads a text frame: an event, the stream's format, or None for anything else. Never raises.

    In an event's frame every field is a string or a finite number. Vapi's `role` stays as it came; `speaker` is "customer" or "assistant".
    """
    if len(frame) > _LONGEST_FRAME:
        return None
    try:
        message = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    if isinstance(message, dict) and isinstance(message.get("message"), dict):
        message = message["message"]
    if not isinstance(message, dict):
        return None
    if message.get("type") == "start":
        return StreamFormat.parse(message)
    fields, events = _fields_of(message), events_of(message)
    if fields is None:
        return ListenEvent(frame="", events=events) if events else None
    return ListenEvent(frame=json.dumps(fields, separators=(",", ":")), events=events)


def events_of(message: Mapping[str, Any]) -> tuple[SpeechEvent, ...]:
    """What an unwrapped message says was said or done, whether it came by the listen socket or as a webhook."""
    fields = _fields_of(message)
    speech = _speech_of(fields, message) if fields else None
    return (speech,) if speech else occurrences_of(message)


def _fields_of(message: Mapping[str, Any]) -> Fields | None:
    kind = message.get("type")
    if not isinstance(kind, str):
        return None
    event: Fields = {}
    if named := _NAMED_TRANSCRIPT.fullmatch(kind):
        kind = "transcript"
        event["transcriptType"] = named[1]
    if kind not in _FIELDS:
        return None
    for name in _FIELDS[kind]:
        value = message.get(name)
        if name == "time":
            # JSON has no NaN and no Infinity. Python reads and writes both, but browsers reject them.
            if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LATEST_TIME:
                event[name] = value
        elif isinstance(value, str):
            event[name] = clean_text(value, most=values.WORDS)
    if kind in _REQUIRED and _REQUIRED[kind] not in event:
        return None
    if speaker := values.speaker(event.get("role")):
        event["speaker"] = speaker
    return {"type": kind, **event}


def _speech_of(fields: Fields, message: Mapping[str, Any]) -> SpeechEvent | None:
    speaker = str(fields.get("speaker", fields.get("role", "")))
    if fields["type"] == "transcript":
        time = fields.get("time")
        return Utterance(
            speaker=speaker,
            text=str(fields["transcript"]),
            final=fields.get("transcriptType", "final") != "partial",
            time=time if isinstance(time, int | float) else None,
            name=(values.text(message.get("assistantName")) or "") if speaker == "assistant" else "",
        )
    if fields["type"] == "speech-update" and speaker:
        return SpeechChange(speaker=speaker, started=fields["status"] == "started")
    return None
