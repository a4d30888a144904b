import json

import pytest

from services.domain.speech import Kind, Occurrence, SpeechChange, SpeechEvent, Utterance
from services.domain.stream_format import DEFAULT_FORMAT
from services.vapi.listen_events import ListenEvent, events_of, read

CALL = {
    "id": "c1",
    "monitor": {"listenUrl": "wss://secret.vapi.ai/c1/listen", "controlUrl": "https://secret.vapi.ai/c1/control"},
    "customer": {"number": "+15550100002"},
}


def frame_of(frame: str) -> dict[str, object]:
    """The event that is passed on to listeners."""
    event = read(frame)
    assert isinstance(event, ListenEvent)
    passed_on: dict[str, object] = json.loads(event.frame)
    return passed_on


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
    assert frame_of(json.dumps(message)) == event
    assert frame_of(json.dumps(message | {"call": CALL})) == event
    assert frame_of(json.dumps({"message": message | {"call": CALL, "monitor": CALL["monitor"]}, "call": CALL})) == event


@pytest.mark.parametrize(
    ("message", "speech"),
    [
        (
            {"type": "transcript", "role": "user", "transcriptType": "partial", "transcript": "Hi", "time": 12.5},
            Utterance(speaker="customer", text="Hi", final=False, time=12.5),
        ),
        (
            {"type": 'transcript[transcriptType="final"]', "role": "bot", "transcript": "Hello"},
            Utterance(speaker="assistant", text="Hello", final=True),
        ),
        ({"type": "transcript", "role": "system", "transcript": "Be kind"}, Utterance(speaker="system", text="Be kind")),
        ({"type": "speech-update", "status": "started", "role": "bot"}, SpeechChange(speaker="assistant", started=True)),
        ({"type": "speech-update", "status": "stopped", "role": "user"}, SpeechChange(speaker="customer", started=False)),
        ({"type": "speech-update", "status": "started"}, None),
        ({"type": "status-update", "status": "in-progress"}, None),
        ({"type": "hang"}, None),
    ],
)
def test_what_an_event_says_about_speech(message: dict[str, object], speech: SpeechEvent | None) -> None:
    event = read(json.dumps(message))
    assert isinstance(event, ListenEvent)
    assert event.events == ((speech,) if speech else ())
    assert events_of(message) == event.events


TOOL = {"id": "t1", "type": "function", "function": {"name": "book", "arguments": {"day": "Mon\ud83d"}}}


@pytest.mark.parametrize(
    ("message", "events"),
    [
        (
            {"type": "tool-calls", "toolCallList": [TOOL, {"id": "t2", "name": "look", "arguments": '{"a": 1}'}, 7, {"id": "t3"}]},
            [
                Occurrence(kind=Kind.TOOL, name="book", text='{"day":"Mon"}', id="t1"),
                Occurrence(kind=Kind.TOOL, name="look", text='{"a": 1}', id="t2"),
            ],
        ),
        (
            {"type": "tool-calls-result", "toolCallResult": {"toolCallId": "t1", "name": "book", "result": "Booked."}},
            [Occurrence(kind=Kind.TOOL, name="book", result="Booked.", id="t1")],
        ),
        (
            {"type": "tool-calls-result", "toolCallResult": {"toolCallId": "t1", "error": {"code": 5}}},
            [Occurrence(kind=Kind.TOOL, result='{"code":5}', id="t1")],
        ),
        ({"type": "user-interrupted", "turnId": "x"}, [Occurrence(kind=Kind.INTERRUPTION)]),
        ({"type": "assistant.started", "newAssistant": {"name": "Sam"}}, [Occurrence(kind=Kind.ASSISTANT, name="Sam")]),
        ({"type": "transfer-update", "toAssistant": {"name": "Sam"}}, [Occurrence(kind=Kind.ASSISTANT, name="Sam")]),
        ({"type": "transfer-update", "destination": {"type": "number"}}, []),
        ({"type": "workflow.node.started", "node": {"name": "greet"}}, [Occurrence(kind=Kind.NODE, name="greet")]),
        ({"type": "workflow.node.started", "node": [], "newAssistant": 3}, []),
        (
            {"type": "transcript", "role": "assistant", "transcript": "Hello", "assistantName": "Sam"},
            [Utterance(speaker="assistant", text="Hello", name="Sam")],
        ),
        (
            {"type": "transcript", "role": "user", "transcript": "Hello", "assistantName": "Sam"},
            [Utterance(speaker="customer", text="Hello")],
        ),
    ],
)
def test_what_an_event_says_was_done(message: dict[str, object], events: list[SpeechEvent]) -> None:
    assert events_of(message) == tuple(events)
    read_events = read(json.dumps({"message": message}))
    assert (read_events.events if isinstance(read_events, ListenEvent) else ()) == tuple(events)


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
def test_other_frames_are_ignored(frame: str) -> None:
    assert read(frame) is None


@pytest.mark.parametrize("time", ["NaN", "Infinity", "-Infinity", "1e400", "9" * 400, '"soon"', "null", "{}"])
def test_a_time_that_is_not_json_is_dropped(time: str) -> None:
    assert frame_of(f'{{"type": "transcript", "transcript": "x", "time": {time}}}') == {"type": "transcript", "transcript": "x"}


def test_fields_are_truncated_and_half_a_surrogate_pair_does_no_harm() -> None:
    event = frame_of(json.dumps({"type": "transcript", "transcript": "x" * 100_000, "role": "\ud800"}))
    assert len(str(event["transcript"])) == 8_000
    assert json.dumps(event).encode()
