"""The transcript of an ended call, read leniently from `artifact` (OpenAPI `Artifact`)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from services.domain.speech import Kind, Occurrence, Utterance
from services.domain.transcript import MOST_LINES, Line, Transcript
from services.vapi import values
from services.vapi.occurrences import tool_result, tools_called

_SPOKEN_LINE = re.compile(r"^(AI|Assistant|Bot|User|Customer): ?", re.IGNORECASE | re.MULTILINE)
_MOST_MESSAGES = 10_000  # tool calls and prompts among them
_MOST_TEXT = 2_000_000  # characters
_START = datetime(1970, 1, 1, tzinfo=UTC)

Happened = tuple[datetime, Utterance | Occurrence]


def read_lines(body: Any) -> tuple[Line, ...]:
    """The call's lines, oldest first. Skips prompts, which nobody spoke, and unreadable messages.

    They come from `messages`, or if there are none from OpenAI's shape of them, or from the plain text that Vapi makes of them, which has
    no times: then all lines begin with the call.
    """
    call = values.table(body)
    artifact = values.table(call.get("artifact"))
    started_at = values.time(call.get("startedAt")) or values.time(call.get("createdAt")) or _START
    for messages in (artifact.get("messages"), call.get("messages"), artifact.get("messagesOpenAIFormatted")):
        if happened := list(_of_messages(messages, started_at)):
            nodes = list(_of_nodes(artifact.get("nodes")))
            return _lines(sorted([*nodes, *happened], key=lambda entry: entry[0]) if nodes else happened)
    for text in (artifact.get("transcript"), call.get("transcript")):
        if happened := list(_of_text(text, started_at)):
            return _lines(happened)
    return ()


def _lines(happened: Iterable[Happened]) -> tuple[Line, ...]:
    transcript = Transcript(most=MOST_LINES)
    assistant = ""
    for exactly, what in happened:
        at = exactly.replace(microsecond=exactly.microsecond // 1000 * 1000)  # as the journal keeps times, so that both can be compared
        if isinstance(what, Occurrence):
            transcript.note(what, at=at)
            continue
        if what.name and what.name != assistant:
            assistant = what.name
            transcript.note(Occurrence(kind=Kind.ASSISTANT, name=assistant), at=at)
        transcript.take(what, at=at)
    transcript.close()
    return transcript.lines


def _of_nodes(nodes: Any) -> Iterator[Happened]:
    """The nodes of a workflow, each at the time of its first message."""
    for node in map(values.table, values.rows(nodes, most=MOST_LINES)):
        messages = map(values.table, values.rows(node.get("messages"), most=1))
        name = values.text(node.get("nodeName"))
        if name and (at := next(filter(None, (values.time(message.get("time")) for message in messages)), None)):
            yield at, Occurrence(kind=Kind.NODE, name=name)


def _of_messages(messages: Any, started_at: datetime) -> Iterator[Happened]:
    for message in map(values.table, values.rows(messages, most=_MOST_MESSAGES)):
        at = values.time(message.get("time")) or started_at + _after(message.get("secondsFromStart"))
        role = (values.text(message.get("role")) or "").lower()
        for tool in tools_called(message.get("toolCalls") or message.get("tool_calls")):
            yield at, tool
        if role in ("tool_call_result", "tool"):
            result = {"toolCallId": message.get("tool_call_id"), "result": message.get("content"), **message}
            yield at, tool_result(result)
        elif (speaker := values.speaker(role)) and (text := _said(message)):
            name = values.text(message.get("assistantName")) if speaker == "assistant" else None
            yield at, Utterance(speaker=speaker, text=text, name=name or "")


def _said(message: Mapping[str, Any]) -> str | None:
    """`message`, or `content`, which may be a list of parts."""
    content = message.get("content")
    if isinstance(content, list):
        content = " ".join(str(part["text"]) for part in map(values.table, content[:100]) if isinstance(part.get("text"), str))
    return values.text(message.get("message"), most=values.WORDS) or values.text(content, most=values.WORDS)


def _of_text(text: Any, started_at: datetime) -> Iterator[Happened]:
    """The lines of `AI: Hello\\nUser: Hi\\n`. A line without a speaker continues the one before."""
    whole = values.text(text, most=_MOST_TEXT) or ""
    _, *parts = _SPOKEN_LINE.split(whole)
    for who, said in zip(parts[::2], parts[1::2], strict=True):
        yield started_at, Utterance(speaker=values.speaker(who) or "", text=values.text(said, most=values.WORDS) or "")


def _after(seconds: Any) -> timedelta:
    found = values.number(seconds)
    return timedelta(seconds=found if found is not None and 0 <= found < 1e6 else 0)
