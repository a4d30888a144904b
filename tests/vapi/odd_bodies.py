"""Bodies of Vapi in which some values are of other types or hold text that can't be stored, sent or shown as it is."""

import copy
import random
import unicodedata
from collections.abc import Iterator
from typing import Any

from tests.vapi import samples

LONG = "x" * 1_000_000
TEXTS: tuple[str, ...] = (
    *("\ud83d", "bye \ud83d", "\ude00", "\udc00\ud800", f"\ud83d{LONG}"),
    *("a\0b", "\x1b[2J\x07", "\u202egnp.exe", "\u2066\u2067\u2068a", "\u200f", "\r\n\u2028", "\ufeff\ufffe", "e\u0301\u0301", LONG),
    *("<script>alert(1)</script>", "{{ 7 * 7 }}", "{name}", "%s", "=1+1", "../../etc", "\U0001f469\u200d\U0001f467", "नमस्ते"),
)
ODDITIES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 7, 10**400, 1e300, -1e300, 1788264000000, 0.5, float("nan"), float("inf"), "", " ", "text", "ended"),
    *("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z", "0001-01-01", "2026-09-01", "2999-01-01T00:00:00Z", "+1", "+14155552671"),
    *([], [None], [[]], {}, {"id": []}, {"type": 7, "cost": "1"}, [{"type": {}}], [1] * 10_000, ["final"], {"a": {"b": {"c": []}}}),
    *TEXTS,
)
"""Values of unexpected types, and text that does harm."""

MESSAGES: tuple[dict[str, Any], ...] = (
    {"type": "transcript", "role": "user", "transcriptType": "partial", "transcript": "Hi there", "time": 12.5},
    {"type": 'transcript[transcriptType="final"]', "role": "assistant", "transcript": "Hello"},
    {"type": "status-update", "status": "ended", "endedReason": "customer-ended-call"},
    {"type": "speech-update", "status": "started", "role": "assistant", "turn": 1},
    {"type": "user-interrupted", "turnId": "t1"},
    {"type": "tool-calls", "toolCallList": [{"id": "t1", "type": "function", "function": {"name": "book", "arguments": {"day": "Mon"}}}]},
    {"type": "tool-calls-result", "toolCallResult": {"toolCallId": "t1", "name": "book", "result": {"booked": True}}},
    {"type": "assistant.started", "newAssistant": {"name": "Sam"}},
    {"type": "transfer-update", "toAssistant": {"name": "Riley"}, "destination": {"type": "assistant"}},
    {"type": "workflow.node.started", "node": {"name": "greet"}},
    {"type": "hang"},
    {"type": "start", "encoding": "linear16", "container": "raw", "sampleRate": 16000, "channels": 2},
    {"type": "end-of-call-report", "endedReason": "customer-ended-call", "artifact": samples.ENDED["artifact"]},
)
"""What a listen socket or a webhook says."""

ANALYSED: dict[str, Any] = {
    **samples.ENDED,
    "customer": {"sipUri": "sip:dana@pbx.example", "name": "Dana", "extension": "9"},
    "endedMessage": "The customer's carrier said: no route.",
    "analysis": {"summary": "x", "successEvaluation": "true", "structuredData": {"name": "Dana", "guests": [1, {"age": 4}]}},
    "artifact": {
        "messages": [
            {"role": "bot", "message": "Hi.", "assistantName": "Riley", "time": 1788256801200.5},
            {"role": "tool_calls", "toolCalls": [{"id": "t1", "function": {"name": "book", "arguments": "{}"}}], "secondsFromStart": 2},
            {"role": "tool_call_result", "toolCallId": "t1", "name": "book", "result": "Booked.", "secondsFromStart": 3},
            {"role": "user", "content": [{"type": "text", "text": "Thanks."}], "secondsFromStart": 4},
        ],
        "messagesOpenAIFormatted": [{"role": "assistant", "content": "Hi."}, {"role": "tool", "tool_call_id": "t1", "content": "Booked."}],
        "transcript": "AI: Hi.\nUser: Thanks.\n",
        "nodes": [{"nodeName": "greet", "messages": [{"role": "bot", "message": "Hi.", "time": 1788256801200.5}]}],
        "structuredOutputs": {"8f1e": {"name": "Booking", "result": {"day": "Mon"}}},
        "scorecards": {"5c1d": {"name": "Service", "score": 40, "scoreNormalized": 80}},
        "performanceMetrics": {"turnLatencyAverage": 1240.5, "modelLatencyAverage": 520, "numUserInterrupted": 1},
    },
    "schedulePlan": {"earliestAt": "2026-09-01T10:00:00Z", "latestAt": "2026-09-01T11:00:00Z"},
    "monitor": {"monitors": [{"monitorId": "m-1", "filterPassed": True}]},
}
"""A call with all that Vapi can find out about it."""

ANSWERS: tuple[dict[str, Any], ...] = (
    {"results": [{"toolCallId": "t1", "name": "book", "result": "Booked."}, {"toolCallId": "t2", "error": {"code": 7, "why": "full"}}]},
    {"results": [{"toolCallId": "t1", "result": {"booked": True, "notes": ["by the window", None]}}]},
)
"""What the owner's server answers to tool calls."""

ERRORS: tuple[dict[str, Any], ...] = (
    {"message": ["customer.number must be a valid phone number", "name is too long"], "error": "Bad Request", "statusCode": 400},
    {"message": "Couldn't start call.", "error": "Bad Request", "statusCode": 400},
)


def spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container and key in a JSON value."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from spots(value[key])


def mutated(body: Any, dice: random.Random) -> Any:
    """`body` with one to four values removed, replaced by an oddity, or replaced by another part of the body."""
    body = copy.deepcopy(body)
    for _ in range(dice.randint(1, 4)):
        places = list(spots(body))
        if not places:
            return dice.choice(ODDITIES)
        container, key = dice.choice(places)
        if dice.random() < 0.2:
            del container[key]
        else:
            container[key] = copy.deepcopy(dice.choice(ODDITIES) if dice.random() < 0.8 else dice.choice(places)[0])
    return body


def is_clean(text: str) -> bool:
    """True if `text` has no surrogate, no control character but tab and line feed, and no bidi control."""
    return not any(
        (unicodedata.category(character) in ("Cs", "Cc") and character not in "\t\n")
        or character in "\u061c\u200e\u200f"
        or unicodedata.bidirectional(character) in ("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI")
        for character in text
    )
