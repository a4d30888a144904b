"""What Vapi found out about an ended call."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from services.domain.call import Analysis, Call, MonitorFinding, Output, Scorecard, merge
from services.journal.database.codec import dump, load_call
from services.vapi.reading import read_call
from tests.vapi import samples

FOUND = {
    "analysis": {"summary": "x", "successEvaluation": "true", "structuredData": {"name": "Dana\ud83d", "guests": 4, "ok": None}},
    "artifact": {
        "structuredOutputs": {
            "8f1e": {"name": "Booking", "result": {"day": "Mon"}},
            "9a2b": {"result": False},
            "none": {"name": "Skipped", "result": None},
            "odd": 7,
        },
        "scorecards": {
            "5c1d": {"name": "Service", "score": 40, "scoreNormalized": 80, "metricPoints": {"8f1e": 40}},
            "7e2f": {"score": 3},
            "none": {"name": "No points", "score": "many"},
            "odd": [],
        },
        "performanceMetrics": {
            "turnLatencies": [{"turnLatency": 900}],
            "turnLatencyAverage": 1240.5,
            "modelLatencyAverage": 520,
            "voiceLatencyAverage": "fast",
            "transcriberLatencyAverage": -1,
            "numUserInterrupted": 1,
            "numAssistantInterrupted": 2,
        },
    },
    "monitor": {
        "listenUrl": "wss://example.vapi.ai/one/listen",
        "monitors": [
            {"monitorId": "m-1", "filterPassed": True},
            {"monitorId": "m-2", "filterPassed": False},
            {"monitorId": "m-3", "filterPassed": "yes"},
            {"filterPassed": True},
            7,
        ],
    },
}


def read(**body: Any) -> Call:
    call = read_call({**samples.MINIMAL, **body})
    assert call
    return call


def test_all_of_it() -> None:
    assert read(**FOUND).analysis == Analysis(
        success="true",
        data={"name": "Dana", "guests": 4, "ok": None},
        outputs=(Output(name="Booking", result={"day": "Mon"}), Output(name="9a2b", result=False)),
        scorecards=(Scorecard(name="Service", score=40, normalized=80), Scorecard(name="7e2f", score=3)),
        monitors=(MonitorFinding(id="m-1", passed=True), MonitorFinding(id="m-2", passed=False)),
        latencies={"turn": 1240.5, "model": 520},
        customer_interrupted=2,
        assistant_interrupted=1,
    )


@pytest.mark.parametrize("body", [{}, {"analysis": {"structuredData": {}}, "artifact": {"performanceMetrics": []}}, {"analysis": 7}])
def test_none_of_it(body: dict[str, Any]) -> None:
    assert read(**body).analysis is None


@pytest.mark.parametrize(("value", "success"), [(True, "true"), (7, "7"), ("Good.", "Good."), ({"score": 3}, '{"score":3}'), (None, None)])
def test_the_evaluation_of_any_rubric(value: object, success: str | None) -> None:
    analysis = read(analysis={"successEvaluation": value}).analysis
    assert (analysis.success if analysis else None) == success


def test_data_that_is_long_deep_or_odd() -> None:
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    for data in (deep, ["y" * 1000] * 100, {"a\0": [float("nan"), 1e400, 10**400, "\u202eb"]}):
        analysis = read(analysis={"structuredData": data, "successEvaluation": "x"}).analysis
        assert analysis
        assert len(json.dumps(analysis.data, allow_nan=False, ensure_ascii=False).encode()) < 20_000
    assert read(analysis={"structuredData": {"a\0": [float("nan"), 10**400, "\u202eb"]}}).analysis == Analysis(
        data={"a": [None, None, "b"]}
    )


def test_it_is_stored_and_stays_when_a_later_answer_omits_it() -> None:
    call = read(**FOUND)
    assert load_call(dump(call)) == call
    assert merge(call, read(), now=datetime.now(UTC)).analysis == call.analysis


@pytest.mark.parametrize("score", [1e300, -1e300, 1e7, "80", True, None])
def test_a_score_that_nobody_could_read_is_left_out(score: object) -> None:
    for field in ("score", "scoreNormalized"):
        assert read(artifact={"scorecards": {"5c1d": {"name": "Service", field: score}}}).analysis is None
