"""What Vapi makes of a call after its end: messages, summary, structured data, metrics. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean
from typing import Any

from services.demo_line.conversation import SUMMARY, SUMMARY_CUT_SHORT, Happening
from services.demo_line.speech import Turn

Body = dict[str, Any]

APPOINTMENT = "9b1f6a52-7c1e-4b6f-8f0e-2d6f4a1c7e10"
"""The id of the structured output that the account asks for."""

SCORECARD = "2c6f0a8e-51d7-4f0b-9a53-7d1e8b3c4f20"
MONITOR = "7d0f3b14-8c5e-4f6a-b1d2-3e9a6c5b8f70"
"""The ids of the account's scorecard and monitor."""

_MODEL_MS, _VOICE_MS, _TRANSCRIBER_MS = 320.0, 140.0, 90.0  # parts of a turn's latency; the rest is endpointing
_MOST_LATENCY_MS = 3000.0  # what is longer is a pause of the speakers


def artifact(
    turns: Sequence[Turn],
    happenings: Sequence[Happening],
    *,
    call_id: str,
    started_at: datetime,
    complete: bool,
    assistants: Sequence[str],
    recorded: bool,
) -> Body:
    """The call's `artifact`. `assistants` are the names of those that spoke."""
    messages = _messages(turns, happenings, started_at, assistants)
    return {
        "transcript": "".join(f"{'User' if turn.role == 'user' else 'AI'}: {turn.text}\n" for turn in turns),
        "messages": messages,
        "messagesOpenAIFormatted": [{"role": turn.role, "content": turn.text} for turn in turns],
        "performanceMetrics": _metrics(turns, happenings),
        "scorecards": {SCORECARD: _scorecard(complete)},
        "structuredOutputs": {APPOINTMENT: {"name": "Appointment", "result": _appointment(complete)}},
        "assistantActivations": [{"assistantName": name} for name in assistants],
        **(_recording(call_id) if recorded else {}),
    }


def analysis(*, complete: bool) -> Body:
    """The call's `analysis`. `successEvaluation` is a string, as in real responses."""
    return {
        "summary": SUMMARY if complete else SUMMARY_CUT_SHORT,
        "successEvaluation": "true" if complete else "false",
        "structuredData": _appointment(complete),
    }


def presigned(addresses: dict[str, str], *, expires: datetime) -> Body:
    """The fields that an API response adds to an artifact: addresses that work without a key until they expire."""
    fields = {f"presigned{kind.capitalize()}Url": address for kind, address in addresses.items()}
    return {**fields, "presignedUrlsExpiresAt": expires.isoformat(timespec="milliseconds").replace("+00:00", "Z")}


def monitors(*, complete: bool) -> list[Body]:
    """What the account's monitors found in a call (OpenAPI `MonitorResult`)."""
    return [{"monitorId": MONITOR, "filterPassed": complete}]


def _scorecard(complete: bool) -> Body:
    return {"name": "Service", "score": 90 if complete else 20, "scoreNormalized": 90 if complete else 20, "metricPoints": {}}


def _appointment(complete: bool) -> Body:
    return {"moved": True, "day": "Thursday", "time": "14:15", "office": "downtown"} if complete else {"moved": False}


def _messages(turns: Sequence[Turn], happenings: Sequence[Happening], started_at: datetime, assistants: Sequence[str]) -> list[Body]:
    """Speech and tool calls in the order of their beginning."""
    spoken = [(turn.start, _message(turn, started_at, assistants)) for turn in turns]
    done = [(one.at, message) for one in happenings if (message := _of_tool(one, started_at))]
    return [message for _, message in sorted([*spoken, *done], key=lambda item: item[0])]


def _message(turn: Turn, started_at: datetime, assistants: Sequence[str]) -> Body:
    """`duration` is in milliseconds, as in real responses, although the API's description says seconds."""
    start = started_at.timestamp() * 1000
    message = {
        "role": "user" if turn.role == "user" else "bot",
        "message": turn.text,
        "time": start + turn.start * 1000,
        "endTime": start + turn.end * 1000,
        "secondsFromStart": turn.start,
        "duration": round((turn.end - turn.start) * 1000),
    }
    if turn.role != "user" and assistants:
        message["assistantName"] = assistants[0]
    return message


def _of_tool(one: Happening, started_at: datetime) -> Body | None:
    """The message of a tool call or of its result."""
    at = {"time": (started_at + timedelta(seconds=one.at)).timestamp() * 1000, "secondsFromStart": one.at}
    match one.event:
        case {"type": "tool-calls", "toolCallList": list(calls)}:
            return {"role": "tool_calls", "toolCalls": calls, "message": "", **at}
        case {"type": "tool-calls-result", "toolCallResult": dict(result)}:
            return {"role": "tool_call_result", **result, **at}
    return None


def _metrics(turns: Sequence[Turn], happenings: Sequence[Happening]) -> Body:
    """Milliseconds from the end of the customer's turn to the beginning of the assistant's, in parts."""
    pauses = [1000 * (answer.start - asked.end) for asked, answer in pairwise(turns) if (asked.role, answer.role) == ("user", "assistant")]
    latencies = [_latency(pause) for pause in pauses if 0 < pause < _MOST_LATENCY_MS]
    averages = {f"{part}Average": round(fmean(latency[part] for latency in latencies), 1) for part in (latencies[0] if latencies else ())}
    interrupted = sum(one.event.get("type") == "user-interrupted" for one in happenings)
    return {"turnLatencies": latencies, **averages, "numUserInterrupted": 0, "numAssistantInterrupted": interrupted}


def _latency(milliseconds: float) -> dict[str, float]:
    scale = min(1.0, milliseconds / (_MODEL_MS + _VOICE_MS + _TRANSCRIBER_MS))
    parts = {"modelLatency": _MODEL_MS * scale, "voiceLatency": _VOICE_MS * scale, "transcriberLatency": _TRANSCRIBER_MS * scale}
    parts["endpointingLatency"] = milliseconds - sum(parts.values())
    return {name: round(value, 1) for name, value in {**parts, "turnLatency": milliseconds}.items()}


def _recording(call_id: str) -> Body:
    """Addresses in Vapi's private storage, which nobody can open."""
    stereo, mono = (f"https://storage.vapi.ai/{call_id}-{kind}.wav" for kind in ("stereo", "mono"))
    return {
        "recordingUrl": mono,
        "stereoRecordingUrl": stereo,
        "recording": {"stereoUrl": stereo, "mono": {"combinedUrl": mono}},
    }
