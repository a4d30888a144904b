"""Reads Vapi's server messages (docs.vapi.ai/server-url/events)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.domain.errors import RequestError
from services.domain.speech import Occurrence, SpeechEvent, Utterance
from services.vapi import values
from services.vapi.listen_events import events_of
from services.vapi.occurrences import tool_result

_STATE_MESSAGES = frozenset({"status-update", "end-of-call-report", "hang", "assistant.started", "transfer-update"})
_MOST_RESULTS = 20
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerMessage:
    """A message of type `kind`, which is empty if it has none. `call_id` is None for one about no call.

    `state_changed`: the call's state may have changed; `events`: what was said or done, or who speaks.
    """

    kind: str
    call_id: str | None = None
    state_changed: bool = False
    events: tuple[SpeechEvent, ...] = ()


def read_server_message(body: bytes) -> ServerMessage:
    """The message. Raises RequestError for a body that is no message of Vapi's."""
    message = _message(body)
    kind = values.text(message.get("type")) or ""
    call = message.get("call")
    call_id = call.get("id") if isinstance(call, dict) else None
    if not isinstance(call_id, str) or not _ID.fullmatch(call_id):
        return ServerMessage(kind=kind)
    sent_at = values.number(message.get("timestamp"))
    events = tuple(
        replace(event, time=sent_at) if isinstance(event, Utterance) and sent_at is not None else event for event in events_of(message)
    )
    return ServerMessage(kind=kind, call_id=call_id, state_changed=kind in _STATE_MESSAGES, events=events)


def read_tool_results(answer: bytes) -> tuple[Occurrence, ...]:
    """What tools returned, in a server's answer to `tool-calls` (OpenAPI `ServerMessageResponseToolCalls`). Never raises."""
    try:
        content = json.loads(answer)
    except (ValueError, RecursionError):
        return ()
    results = values.rows(values.table(content).get("results"), most=_MOST_RESULTS)
    return tuple(tool_result(values.table(result)) for result in results if values.table(result).get("toolCallId"))


def _message(body: bytes) -> Mapping[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    message = content.get("message", content) if isinstance(content, dict) else None
    if not isinstance(message, dict):
        raise RequestError("This is not a server message of Vapi. Send the JSON object that Vapi sends.")
    return message
