"""What Vapi reports after a call has ended: its recording and the transcript."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.vapi.ended_reasons import Family, family_of
from services.vapi.reading import read_call
from services.vapi.transcript import read_lines
from tests.vapi.samples import ENDED

STEREO, MONO, OLD = ("https://storage.vapi.ai/stereo.wav", "https://storage.vapi.ai/mono.wav", "https://storage.vapi.ai/old.wav")
STARTED = datetime(2026, 9, 1, 10, 0, 5, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "url"),
    [
        ({"artifact": {"recording": {"stereoUrl": STEREO, "mono": {"combinedUrl": MONO}}, "recordingUrl": OLD}}, STEREO),
        ({"artifact": {"recording": {"mono": {"combinedUrl": MONO}}}}, MONO),
        ({"artifact": {"recording": "nonsense", "recordingUrl": OLD}}, OLD),
        ({"artifact": None, "recordingUrl": OLD}, OLD),
        ({"artifact": {"presignedMonoUrl": MONO}}, MONO),
        ({"artifact": {"recordingUrl": "http://storage.vapi.ai/one.wav"}, "stereoRecordingUrl": STEREO}, STEREO),
        ({"artifact": {"recordingUrl": "javascript:alert(1)"}}, None),
        ({"artifact": {"recordingUrl": "https://storage.vapi.ai/a b"}}, None),
        ({"artifact": {"recordingUrl": 3}}, None),
    ],
)
def test_the_recording_is_linked_only_by_https(body: dict[str, Any], url: str | None) -> None:
    call = read_call({"id": "one", **body})
    assert call
    assert call.recording_url == url


def test_spoken_messages_are_read_and_others_are_skipped() -> None:
    messages = [
        {"role": "system", "message": "You are Riley."},
        {"role": "bot", "message": " Hi.\0 ", "time": 1788256801200.5},
        {"role": "tool_calls", "message": "lookup()"},
        {"role": "user", "message": "Hello?", "secondsFromStart": 4.1},
        {"role": "user", "message": "  "},
        {"role": "bot", "message": ["no"]},
        {"role": "bot", "message": "Still there?", "secondsFromStart": "soon"},
        None,
    ]
    lines = read_lines({**ENDED, "artifact": {"messages": messages}})
    assert [(line.key, line.speaker, line.text, line.final) for line in lines] == [
        (1, "assistant", "Hi.", True),
        (2, "customer", "Hello?", True),
        (3, "assistant", "Still there?", True),
    ]
    assert [line.at for line in lines[1:]] == [STARTED + timedelta(seconds=4.1), STARTED]


@pytest.mark.parametrize("body", [None, [], {}, {"artifact": []}, {"artifact": {"messages": 3}}, {"messages": "none"}])
def test_a_call_without_messages_has_no_lines(body: Any) -> None:
    assert read_lines(body) == ()


def test_older_answers_have_the_messages_at_the_top() -> None:
    assert [line.text for line in read_lines({"messages": [{"role": "user", "message": "Hello?"}]})] == ["Hello?"]


@pytest.mark.parametrize(
    ("code", "family"),
    [
        ("customer-busy", Family.NOT_REACHED),
        ("pipeline-error-brand-new-llm-failed", Family.PROVIDER),
        ("call.in-progress.error-vapifault-of-tomorrow", Family.VAPI),
        ("never-heard-of", Family.UNKNOWN),
        (None, Family.UNKNOWN),
    ],
)
def test_an_unknown_code_has_a_family(code: str | None, family: Family) -> None:
    assert family_of(code) is family
