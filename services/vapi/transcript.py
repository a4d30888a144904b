"""The transcript of an ended call, read leniently from `artifact.messages` (OpenAPI `Artifact`)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.domain.transcript import MOST_LINES, Line, Speaker
from services.vapi import values

_SPEAKERS: dict[str, Speaker] = {"user": "customer", "bot": "assistant", "assistant": "assistant"}
_START = datetime(1970, 1, 1, tzinfo=UTC)


def read_lines(body: Any) -> tuple[Line, ...]:
    """The call's lines, oldest first. Skips prompts and tool calls, which nobody spoke, and unreadable messages."""
    table = body if isinstance(body, dict) else {}
    artifact = table.get("artifact")
    messages = (artifact.get("messages") if isinstance(artifact, dict) else None) or table.get("messages")
    started_at = values.time(table.get("startedAt")) or values.time(table.get("createdAt")) or _START
    lines: list[Line] = []
    for message in messages if isinstance(messages, list) else ():
        speaker = _SPEAKERS.get(str(message.get("role"))) if isinstance(message, dict) else None
        text = message.get("message") if speaker else None
        if speaker and (clean := values.text(text, most=values.WORDS)):
            at = values.time(message.get("time")) or started_at + _after(message.get("secondsFromStart"))
            lines.append(Line(key=len(lines) + 1, speaker=speaker, text=clean, at=at, final=True))
    return tuple(lines[-MOST_LINES:])


def _after(seconds: Any) -> timedelta:
    valid = isinstance(seconds, int | float) and 0 <= seconds < 1e6
    return timedelta(seconds=float(seconds) if valid else 0)
