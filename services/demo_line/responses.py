"""Response bodies in Vapi's shape, and errors in NestJS's. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from services.demo_line.artifacts import analysis, artifact, monitors
from services.demo_line.lines import Lines
from services.demo_line.playing import Playing
from services.demo_line.speech import Turn
from services.demo_line.voicemail import DETECTION

Body = dict[str, Any]

MISSING_AUTHORIZATION = "Missing Authorization Header."
INVALID_KEY = "Invalid Key. Hot tip, you may be using the private key instead of the public key, or vice versa."

FIRST_MESSAGE = "Hi, this is Riley from Wellness Partners."

SAMS_MESSAGE = 'Hi {{ name | default: "there" }}, this is Sam. Do you have a minute to tell us how it went?'

_DOLLARS_PER_MINUTE = {"transport": 0.014, "stt": 0.01, "llm": 0.02, "tts": 0.036, "vapi": 0.05}
_SUMMARY_DOLLARS = 0.0003
_MODEL = {"provider": "openai", "model": "gpt-4o"}
_VOICE = {"provider": "vapi", "voiceId": "Elliot"}
_TRANSCRIBER = {"provider": "deepgram", "model": "nova-3"}


class Refusal(Exception):
    """An error response. `message` is a sentence, or a list of sentences where fields are wrong."""

    def __init__(self, status: int, message: str | list[str]) -> None:
        super().__init__(message)
        self.status = status
        self.body: Body = {"message": message, "error": HTTPStatus(status).phrase, "statusCode": status}


def stamp(moment: datetime) -> str:
    """The time as JavaScript formats it: UTC, milliseconds, `Z`."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_call(order: Body, *, call_id: str, org_id: str, base_url: str, created_at: datetime) -> Body:
    """A new call, with the order echoed in it. `monitor` has only the URLs that the order's monitorPlan does not disable."""
    plan = monitor_plan(order)
    monitor = {}
    if plan.get("listenEnabled", True):
        monitor["listenUrl"] = f"{base_url.replace('http', 'ws', 1)}/{call_id}/listen"
    if plan.get("controlEnabled", True):
        monitor["controlUrl"] = f"{base_url}/{call_id}/control"
    call_sid = f"CA{uuid4().hex}"
    return order | {
        "id": call_id,
        "orgId": org_id,
        "type": "outboundPhoneCall",
        "createdAt": stamp(created_at),
        "updatedAt": stamp(created_at),
        "cost": 0,
        "phoneCallProvider": "twilio",
        "phoneCallProviderId": call_sid,
        "phoneCallTransport": "pstn",
        "monitor": monitor,
        "transport": {"provider": "twilio", "conversationType": "voice", "accountSid": f"AC{'0' * 32}", "callSid": call_sid},
    }


def monitor_plan(order: Body) -> Mapping[str, Any]:
    """The order's monitorPlan: whether listening and control are enabled, and whether they require the public key."""
    plan = (order.get("assistantOverrides") or order.get("squadOverrides") or {}).get("monitorPlan")
    return plan if isinstance(plan, dict) else {}


def subscription_limits(lines: Lines, *, blocked: bool) -> Body:
    """`blocked`: the call waits for a line."""
    return {"concurrencyBlocked": blocked, "concurrencyLimit": lines.total, "remainingConcurrentCalls": lines.remaining}


def final_fields(
    playing: Playing | None,
    extra_turns: Sequence[Turn],
    *,
    call_id: str,
    started_at: datetime | None,
    ended_at: datetime,
    assistants: Sequence[str],
    recorded: bool,
) -> Body:
    """The fields that a call has only once it has ended: transcript, summary, price. They are empty if nobody answered.

    `monitors` belongs into the call's `monitor`.
    `extra_turns` are the assistant's turns that are not part of the recorded conversation; `assistants` the names of those that spoke.
    """
    if playing is None or started_at is None:
        return {"cost": 0, "costs": [], "messages": [], "artifact": {"transcript": "", "messages": [], "messagesOpenAIFormatted": []}}
    seconds = (ended_at - started_at).total_seconds()
    complete = playing.complete(seconds)
    turns = sorted([*playing.turns(seconds), *extra_turns], key=lambda turn: turn.end)
    made = artifact(
        turns,
        playing.happenings(seconds),
        call_id=call_id,
        started_at=started_at,
        complete=complete,
        assistants=assistants,
        recorded=recorded,
    )
    return {
        **_price(seconds, characters=sum(len(turn.text) for turn in turns if turn.role == "assistant")),
        "messages": made["messages"],
        "artifact": made,
        "analysis": analysis(complete=complete),
        "monitors": monitors(complete=complete),
    }


def _price(seconds: float, *, characters: int) -> Body:
    minutes = round(seconds / 60, 4)
    part = {name: round(minutes * rate, 4) for name, rate in _DOLLARS_PER_MINUTE.items()}
    total = round(sum(part.values()) + _SUMMARY_DOLLARS, 4)
    tokens = {"promptTokens": 40 * characters, "completionTokens": characters // 4}
    return {
        "cost": total,
        "costBreakdown": {
            **part,
            "chat": 0,
            "total": total,
            "llmPromptTokens": tokens["promptTokens"],
            "llmCompletionTokens": tokens["completionTokens"],
            "ttsCharacters": characters,
            "analysisCostBreakdown": {"summary": _SUMMARY_DOLLARS, "successEvaluation": 0, "structuredData": 0},
        },
        "costs": [
            {"type": "transport", "provider": "twilio", "minutes": minutes, "cost": part["transport"]},
            {"type": "transcriber", "transcriber": _TRANSCRIBER, "minutes": minutes, "cost": part["stt"]},
            {"type": "model", "model": _MODEL, **tokens, "cost": part["llm"]},
            {"type": "voice", "voice": _VOICE, "characters": characters, "cost": part["tts"]},
            {"type": "vapi", "subType": "normal", "minutes": minutes, "cost": part["vapi"]},
            {
                "type": "analysis",
                "analysisType": "summary",
                "model": _MODEL,
                "promptTokens": 600,
                "completionTokens": 50,
                "cost": _SUMMARY_DOLLARS,
            },
        ],
    }


def assistants(org_id: str, created_at: datetime) -> list[Body]:
    def assistant(name: str, first_message: str, prompt: str) -> Body:
        return resource(org_id, created_at) | {
            "name": name,
            "firstMessage": first_message,
            "model": _MODEL | {"messages": [{"role": "system", "content": prompt}]},
            "voice": _VOICE,
            "transcriber": _TRANSCRIBER,
            "voicemailDetection": DETECTION,
        }

    return [
        assistant("Riley", FIRST_MESSAGE, "You are Riley from Wellness Partners. You confirm appointments, and move them if need be."),
        assistant("Sam, feedback", SAMS_MESSAGE, "You are Sam. You ask the customer how the {{ visit }} went, and thank them."),
    ]


def phone_numbers(org_id: str, created_at: datetime) -> list[Body]:
    """Two caller IDs: one imported from Twilio, with a secret in it like the real ones, and one of Vapi's own, which has no number."""
    return [
        resource(org_id, created_at)
        | {
            "provider": "twilio",
            "name": "Main line",
            "number": "+12025550190",
            "status": "active",
            "twilioAccountSid": f"AC{'0' * 32}",
            "twilioAuthToken": uuid4().hex,
        },
        resource(org_id, created_at)
        | {"provider": "vapi", "name": "Front desk", "status": "active", "sipUri": "sip:front-desk@sip.vapi.ai"},
    ]


def squads(org_id: str, created_at: datetime, members: Sequence[Body]) -> list[Body]:
    """One squad, of all `members`."""
    return [resource(org_id, created_at) | {"name": "Front office", "members": [{"assistantId": member["id"]} for member in members]}]


def resource(org_id: str, created_at: datetime) -> Body:
    """What every resource of the account has."""
    return {"id": str(uuid4()), "orgId": org_id, "createdAt": stamp(created_at), "updatedAt": stamp(created_at)}
