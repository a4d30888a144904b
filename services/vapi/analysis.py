"""Reads what Vapi found out about a call: its analysis, structured outputs, scorecards, monitors and performance metrics."""

from collections.abc import Mapping
from typing import Any

from services.domain.call import Analysis, MonitorFinding, Output, Scorecard
from services.vapi import values

_LARGEST_SCORE = 1e6
_MOST_OUTPUTS = 50
_MOST_DATA = 16_000  # characters of JSON
_SLOWEST_MS = 600_000
_LATENCIES = {
    "turn": "turnLatencyAverage",
    "transcriber": "transcriberLatencyAverage",
    "endpointing": "endpointingLatencyAverage",
    "model": "modelLatencyAverage",
    "voice": "voiceLatencyAverage",
    "fromTransport": "fromTransportLatencyAverage",
    "toTransport": "toTransportLatencyAverage",
}


def read_analysis(call: Mapping[str, Any]) -> Analysis | None:
    """What the body of a call says; None if it says nothing. Never raises."""
    analysis, artifact = values.table(call.get("analysis")), values.table(call.get("artifact"))
    metrics = values.table(artifact.get("performanceMetrics"))
    latencies = {
        part: milliseconds for part, name in _LATENCIES.items() if (milliseconds := values.amount(metrics.get(name), most=_SLOWEST_MS))
    }
    found = Analysis(
        success=_success(analysis.get("successEvaluation")),
        data=values.plain_json(analysis.get("structuredData"), most=_MOST_DATA) or None,
        outputs=tuple(_outputs(artifact.get("structuredOutputs"))),
        scorecards=tuple(_scorecards(artifact.get("scorecards"))),
        monitors=tuple(_monitors(values.table(call.get("monitor")).get("monitors"))),
        latencies=latencies,
        customer_interrupted=_count(metrics.get("numAssistantInterrupted")),
        assistant_interrupted=_count(metrics.get("numUserInterrupted")),
    )
    return None if found == Analysis() else found


def _success(value: Any) -> str | None:
    """A string by the documentation, whatever the rubric; a bool or number is taken too."""
    return values.as_text(value, most=values.WORDS)


def _outputs(listed: Any) -> list[Output]:
    """The structured outputs, which Vapi keys by their id."""
    found = []
    for key, body in list(values.table(listed).items())[:_MOST_OUTPUTS]:
        output = values.table(body)
        name = values.text(output.get("name")) or values.text(key)
        result = values.plain_json(output.get("result"), most=_MOST_DATA)
        if name and result is not None:
            found.append(Output(name=name, result=result))
    return found


def _scorecards(listed: Any) -> list[Scorecard]:
    """The scorecards, which Vapi keys by their id."""
    found = []
    for key, body in list(values.table(listed).items())[:_MOST_OUTPUTS]:
        card = values.table(body)
        name = values.text(card.get("name")) or values.text(key)
        score, normalized = _score(card.get("score")), _score(card.get("scoreNormalized"))
        if name and (score is not None or normalized is not None):
            found.append(Scorecard(name=name, score=score, normalized=normalized))
    return found


def _score(value: Any) -> float | None:
    """None also for a number that no rubric has, and that nobody could read."""
    found = values.number(value)
    return found if found is not None and abs(found) <= _LARGEST_SCORE else None


def _monitors(listed: Any) -> list[MonitorFinding]:
    bodies = [values.table(item) for item in values.rows(listed, most=_MOST_OUTPUTS)]
    return [
        MonitorFinding(id=monitor_id, passed=body["filterPassed"])
        for body in bodies
        if (monitor_id := values.identifier(body.get("monitorId"))) and isinstance(body.get("filterPassed"), bool)
    ]


def _count(value: Any) -> int | None:
    found = values.amount(value, most=100_000)
    return None if found is None else int(found)
