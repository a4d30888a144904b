"""What Vapi found out about an ended call, in words."""

import json
from collections.abc import Iterator
from typing import Any

from services.domain.call import Call, Scorecard
from ui.words import locale, say

_BRIEF = 8  # characters of an id
_DEPTH = 5  # of names above a value


def success(call: Call) -> str:
    """Whether the call reached its goal, in the words of the assistant's rubric."""
    found = call.analysis.success if call.analysis else None
    return say(f"success_{found.lower()}") if found and found.lower() in ("true", "false") else found or ""


def latency(call: Call) -> str:
    """`1.24 s: Transcriber 0.1 s · Model 0.52 s`: how long a turn took on average, and which part of it."""
    latencies = call.analysis.latencies if call.analysis else {}
    parts = " · ".join(f"{say(key)} {_seconds(latencies[part])}" for part, key in _LATENCY_PARTS.items() if part in latencies)
    turn = _seconds(latencies["turn"]) if "turn" in latencies else ""
    return ": ".join(filter(None, (turn, parts)))


def collected(call: Call) -> str:
    """The structured data and outputs of a call, a line each, such as `Appointment, moved: no`; empty if there are none."""
    if call.analysis is None:
        return ""
    outputs = {output.name: output.result for output in call.analysis.outputs}
    lines = [*_lines(call.analysis.data or {}, ()), *_lines(outputs, ())]
    return "\n".join(dict.fromkeys(lines))


def _lines(found: Any, names: tuple[str, ...]) -> Iterator[str]:
    """One line for each value in nested tables and lists. What is nested deeper than people read is shown as JSON."""
    if isinstance(found, dict) and len(names) < _DEPTH:
        for name, value in found.items():
            yield from _lines(value, (*names, str(name)))
    elif isinstance(found, list) and len(names) < _DEPTH and any(isinstance(value, dict | list) for value in found):
        for number, value in enumerate(found, 1):
            yield from _lines(value, (*names, str(number)))
    else:
        value = ", ".join(map(_value, found)) if isinstance(found, list) and len(names) < _DEPTH else _value(found)
        yield f"{', '.join(names)}: {value}" if names else value


def _value(found: Any) -> str:
    if found is None:
        return "–"
    if isinstance(found, bool):
        return say("data_yes" if found else "data_no")
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def scorecards(call: Call) -> str:
    """`Service 90 % · Politeness 4`: the scorecards of a call, normalized if Vapi says so."""
    cards = call.analysis.scorecards if call.analysis else ()
    return " · ".join(f"{card.name} {_score(card)}" for card in cards)


def monitors(call: Call) -> str:
    """Each monitor of Vapi's with what it found, a line each. Vapi's answer has no name for it, so the beginning of its id stands there."""
    found = call.analysis.monitors if call.analysis else ()
    return "\n".join(f"{_brief(monitor.id)}: {say('monitor_passed' if monitor.passed else 'monitor_not_passed')}" for monitor in found)


def _score(card: Scorecard) -> str:
    from babel.numbers import format_decimal, format_percent

    if card.normalized is not None:
        return format_percent(card.normalized / 100, locale=locale())
    return format_decimal(card.score or 0, locale=locale())


def _seconds(milliseconds: float) -> str:
    from babel.numbers import format_decimal  # 3 ms that only a page with such a number needs

    return f"{format_decimal(milliseconds / 1000, '0.##', locale())} s"


_LATENCY_PARTS = {
    "transcriber": "cost_transcriber",
    "endpointing": "latency_endpointing",
    "model": "cost_model",
    "voice": "cost_voice",
}


def _brief(identifier: str) -> str:
    return identifier if len(identifier) <= _BRIEF else f"{identifier[:_BRIEF]}…"
