"""The transcript of an ended call, in every shape that Vapi writes one in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.domain.speech import Kind
from services.vapi.transcript import read_lines
from tests.vapi import samples

TEN = datetime(2026, 9, 1, 10, tzinfo=UTC)
MS = 1788256800000  # the same time


def texts(**artifact: Any) -> list[tuple[str, str]]:
    return [(line.speaker, line.text) for line in read_lines({"startedAt": "2026-09-01T10:00:00Z", "artifact": artifact})]


def test_messages_with_their_times() -> None:
    lines = read_lines(samples.ENDED)
    assert [(line.speaker, line.text, line.final) for line in lines] == [("assistant", "Hello", True)]
    assert lines[0].at == TEN + timedelta(milliseconds=1200)


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "bot", "message": "Hi."}, {"role": "user", "message": "Yes."}, {"role": "user", "message": "Yes."}],
        [{"role": "assistant", "content": "Hi."}, {"role": "user", "content": "Yes."}, {"role": "User", "content": "Yes."}],
        [
            {"role": "ai", "content": [{"type": "text", "text": "Hi."}]},
            {"role": "customer", "content": [{"text": "Yes."}, 7]},
            {"role": "user", "message": "", "content": "Yes."},
        ],
    ],
)
def test_message_or_content(messages: list[dict[str, Any]]) -> None:
    expected = [("assistant", "Hi."), ("customer", "Yes."), ("customer", "Yes.")]
    prompt = {"role": "system", "message": "You are Riley."}
    assert texts(messages=[prompt, *messages]) == expected
    assert texts(messages=[], messagesOpenAIFormatted=[prompt, *messages], transcript="AI: Other\n") == expected
    assert [(line.speaker, line.text) for line in read_lines({"messages": messages})] == expected


def test_the_text_alone() -> None:
    text = "AI: Hello, this\nis Riley.\nUser: Hi: who?\nAI: \nUser: Yes.\nUser: Yes.\n"
    expected = [("assistant", "Hello, this\nis Riley."), ("customer", "Hi: who?"), ("customer", "Yes."), ("customer", "Yes.")]
    assert texts(transcript=text) == expected
    assert texts(transcript=text, messages=[{"role": "system", "message": "You are Riley."}]) == expected
    assert {line.at for line in read_lines({"startedAt": "2026-09-01T10:00:00Z", "transcript": text})} == {TEN}
    assert texts(transcript="") == texts(transcript=7) == texts(transcript="Nobody spoke.") == []


def test_tools_with_arguments_and_results() -> None:
    lines = read_lines(
        {
            "artifact": {
                "messages": [
                    {"role": "bot", "message": "One moment.", "time": MS},
                    {
                        "role": "tool_calls",
                        "message": "",
                        "time": MS + 1000,
                        "toolCalls": [{"id": "t1", "type": "function", "function": {"name": "book", "arguments": '{"day":"Mon"}'}}],
                    },
                    {"role": "tool_call_result", "toolCallId": "t1", "name": "book", "result": "Booked.", "time": MS + 2000},
                    {"role": "tool_calls", "time": MS + 3000, "toolCalls": [{"id": "t2", "function": {"name": "look", "arguments": {}}}]},
                    {"role": "bot", "message": "Done.", "time": MS + 4000},
                ]
            }
        }
    )
    assert [(line.kind, line.name, line.text, line.result, line.final) for line in lines] == [
        (Kind.SPEECH, "", "One moment.", None, True),
        (Kind.TOOL, "book", '{"day":"Mon"}', "Booked.", True),
        (Kind.TOOL, "look", "{}", None, True),
        (Kind.SPEECH, "", "Done.", None, True),
    ]
    assert lines[1].at == TEN + timedelta(seconds=1)


def test_a_squads_assistants_and_a_workflows_nodes() -> None:
    messages = [
        {"role": "bot", "message": "Hi.", "assistantName": "Riley", "time": MS},
        {"role": "user", "message": "Yes?", "assistantName": "Riley", "time": MS + 1000},
        {"role": "bot", "message": "Hello.", "assistantName": "Sam", "time": MS + 2000},
    ]
    nodes = [{"nodeName": "greet", "messages": messages[:1]}, {"nodeName": "book", "messages": messages[2:]}, {"nodeName": "none"}, 7]
    lines = read_lines({"artifact": {"messages": messages, "nodes": nodes}})
    assert [(line.kind, line.speaker, line.name, line.text) for line in lines] == [
        (Kind.NODE, "assistant", "greet", ""),
        (Kind.SPEECH, "assistant", "Riley", "Hi."),
        (Kind.SPEECH, "customer", "", "Yes?"),
        (Kind.NODE, "assistant", "book", ""),
        (Kind.ASSISTANT, "assistant", "Sam", ""),
        (Kind.SPEECH, "assistant", "Sam", "Hello."),
    ]
