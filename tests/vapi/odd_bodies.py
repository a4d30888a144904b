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
    {"type": "hang"},
    {"type": "start", "encoding": "linear16", "container": "raw", "sampleRate": 16000, "channels": 2},
    {"type": "end-of-call-report", "endedReason": "customer-ended-call", "artifact": samples.ENDED["artifact"]},
)
"""What a listen socket or a webhook says."""

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
