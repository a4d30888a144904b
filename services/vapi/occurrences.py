"""Reads what happens in a call beside the words: tool calls and their results, changes of assistant or node, interruptions.

The same shapes come by the listen socket, as server messages and in an ended call's `artifact.messages` (OpenAPI `ClientMessage`,
`ServerMessage`, `ToolCallMessage`, `ToolCallResultMessage`). Never raises.
"""

from collections.abc import Mapping
from typing import Any

from services.domain.speech import Kind, Occurrence
from services.vapi import values

_MOST_TOOLS = 20  # of one message


def occurrences_of(message: Mapping[str, Any]) -> tuple[Occurrence, ...]:
    """What happened, by an unwrapped event or server message; empty for other messages."""
    match values.text(message.get("type")):
        case "tool-calls":
            return tools_called(message.get("toolCallList") or message.get("toolCalls"))
        case "tool-calls-result":
            result = values.table(message.get("toolCallResult"))
            return (tool_result(result),) if result else ()
        case "user-interrupted":
            return (Occurrence(kind=Kind.INTERRUPTION),)
        case "assistant.started":
            return _named(Kind.ASSISTANT, values.table(message.get("newAssistant")).get("name"))
        case "transfer-update":
            return _named(Kind.ASSISTANT, values.table(message.get("toAssistant")).get("name"))
        case "workflow.node.started":
            node = values.table(message.get("node"))
            return _named(Kind.NODE, node.get("name") or node.get("nodeName"))
    return ()


def tools_called(listed: Any) -> tuple[Occurrence, ...]:
    """The tool calls of a list, in OpenAI's shape (`function.name`, `function.arguments`) or flat."""
    found = []
    for body in values.rows(listed, most=_MOST_TOOLS):
        call = values.table(body)
        function = values.table(call.get("function")) or call
        arguments = function.get("arguments", function.get("parameters"))
        if name := values.text(function.get("name")):
            text = values.as_text(arguments, most=values.DATA) or ""
            found.append(Occurrence(kind=Kind.TOOL, name=name, text=text, id=values.identifier(call.get("id")) or ""))
    return tuple(found)


def tool_result(body: Mapping[str, Any]) -> Occurrence:
    """What a tool returned, or the error instead."""
    result = body.get("result", body.get("error"))
    return Occurrence(
        kind=Kind.TOOL,
        name=values.text(body.get("name")) or "",
        result=values.as_text(result, most=values.DATA) or "",
        id=values.identifier(body.get("toolCallId")) or "",
    )


def _named(kind: Kind, name: Any) -> tuple[Occurrence, ...]:
    found = values.text(name)
    return (Occurrence(kind=kind, name=found),) if found else ()
