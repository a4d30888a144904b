"""Text frames of a listen socket -> the few that concern a listener, and of these only known fields.

Vapi sends them flat or wrapped in `{"message": {...}}` (docs.vapi.ai/calls/call-listen, docs.vapi.ai/server-url/events). A wrapped one may
carry the whole call with its listen and control URLs, which are bearer secrets: what is not named here goes no further.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from services.domain.stream_format import StreamFormat

Event = dict[str, str | float]

_FIELDS: dict[str, tuple[str, ...]] = {
    "transcript": ("role", "transcriptType", "transcript", "time"),
    "status-update": ("status", "endedReason"),
    "speech-update": ("status", "role"),
    "user-interrupted": (),
    "hang": (),
}
_REQUIRED = {"transcript": "transcript", "status-update": "status", "speech-update": "status"}
_SPEAKERS = {"user": "customer", "customer": "customer", "bot": "assistant", "assistant": "assistant"}
_NAMED_TRANSCRIPT = re.compile(r"transcript\[transcriptType=[\"']?(\w+)[\"']?\]")
_LONGEST_FRAME = 256 * 1024  # characters; parsing more would hold up the sound
_LONGEST_FIELD = 8_000  # characters
_LATEST_TIME = 1e15  # milliseconds


def read(frame: str) -> Event | StreamFormat | None:
    """What a text frame tells: an event (flat, every field a string or a finite number), the stream's format, or None. Never raises.

    Vapi's `role` is kept as it came; `speaker` says the same as "customer" or "assistant".
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
    return StreamFormat.parse(message) if message.get("type") == "start" else event_of(message)


def event_of(message: Mapping[str, Any]) -> Event | None:
    """The event in an unwrapped message, from whichever way it came."""
    kind = message.get("type")
    return _event(kind, message) if isinstance(kind, str) else None


def _event(kind: str, message: Mapping[str, Any]) -> Event | None:
    event: Event = {}
    if named := _NAMED_TRANSCRIPT.fullmatch(kind):
        kind = "transcript"
        event["transcriptType"] = named[1]
    if kind not in _FIELDS:
        return None
    for name in _FIELDS[kind]:
        value = message.get(name)
        if name == "time":
            # JSON has no NaN and no Infinity, though Python reads and writes both: a browser would choke on them.
            if isinstance(value, int | float) and abs(value) < _LATEST_TIME:
                event[name] = value
        elif isinstance(value, str):
            event[name] = value[:_LONGEST_FIELD]
    if kind in _REQUIRED and _REQUIRED[kind] not in event:
        return None
    if speaker := _SPEAKERS.get(str(event.get("role", "")).lower()):
        event["speaker"] = speaker
    return {"type": kind, **event}
