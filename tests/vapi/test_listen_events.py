import json

import pytest

from services.domain.stream_format import DEFAULT_FORMAT
from services.vapi.listen_events import read

CALL = {
    "id": "c1",
    "monitor": {"listenUrl": "wss://secret.vapi.ai/c1/listen", "controlUrl": "https://secret.vapi.ai/c1/control"},
    "customer": {"number": "+15550100002"},
}


@pytest.mark.parametrize(
    ("message", "event"),
    [
        (
            {"type": "transcript", "role": "user", "transcriptType": "partial", "transcript": "Hi", "time": 12.5},
            {"type": "transcript", "role": "user", "transcriptType": "partial", "transcript": "Hi", "time": 12.5, "speaker": "customer"},
        ),
        (
            {"type": 'transcript[transcriptType="final"]', "role": "assistant", "transcript": "Hello"},
            {"type": "transcript", "role": "assistant", "transcriptType": "final", "transcript": "Hello", "speaker": "assistant"},
        ),
        ({"type": "status-update", "status": "in-progress"}, {"type": "status-update", "status": "in-progress"}),
        (
            {"type": "status-update", "status": "ended", "endedReason": "customer-ended-call"},
            {"type": "status-update", "status": "ended", "endedReason": "customer-ended-call"},
        ),
        (
            {"type": "speech-update", "status": "started", "role": "bot", "turn": 1},
            {"type": "speech-update", "status": "started", "role": "bot", "speaker": "assistant"},
        ),
        ({"type": "user-interrupted", "turnId": "t1"}, {"type": "user-interrupted"}),
        ({"type": "hang"}, {"type": "hang"}),
    ],
)
def test_known_events_are_read_flat_and_wrapped(message: dict[str, object], event: dict[str, object]) -> None:
    assert read(json.dumps(message)) == event
    assert read(json.dumps(message | {"call": CALL})) == event
    assert read(json.dumps({"message": message | {"call": CALL, "monitor": CALL["monitor"]}, "call": CALL})) == event


def test_a_start_frame_is_a_format() -> None:
    assert read(DEFAULT_FORMAT.start_frame()) == DEFAULT_FORMAT
    assert read(json.dumps({"message": json.loads(DEFAULT_FORMAT.start_frame())})) == DEFAULT_FORMAT
    assert read('{"type":"start","sampleRate":1}') is None


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "hello",
        "null",
        "[1, 2]",
        '"text"',
        "{",
        "{}",
        '{"type": 7}',
        '{"type": ["transcript"]}',
        '{"message": "hello"}',
        '{"message": []}',
        '{"type": "conversation-update", "messages": []}',
        '{"type": "transcript"}',
        '{"type": "transcript", "transcript": {"listenUrl": "wss://secret"}}',
        '{"type": "transcript[transcriptType=]", "transcript": "x"}',
        '{"type": "status-update", "status": ["ended"]}',
        "[" * 100_000,
        '{"type":' * 50_000,
        '{"type": "hang", "time": ' + "9" * 10_000 + "}",
        '{"type": "hang", "padding": "' + "x" * 1_000_000 + '"}',
    ],
)
def test_anything_else_is_nothing(frame: str) -> None:
    assert read(frame) is None


@pytest.mark.parametrize("time", ["NaN", "Infinity", "-Infinity", "1e400", "9" * 400, '"soon"', "null", "{}"])
def test_a_time_that_no_browser_could_read_is_left_out(time: str) -> None:
    assert read(f'{{"type": "transcript", "transcript": "x", "time": {time}}}') == {"type": "transcript", "transcript": "x"}


def test_fields_are_bounded_and_half_a_character_does_not_stop_them() -> None:
    event = read(json.dumps({"type": "transcript", "transcript": "x" * 100_000, "role": "\ud800"}))
    assert isinstance(event, dict)
    assert len(str(event["transcript"])) == 8_000
    assert json.dumps(event).encode()
