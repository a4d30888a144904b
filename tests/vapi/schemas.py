"""The parts of Vapi's bodies that Earshot relies on, as JSON Schema (2020-12) of our own.

Whoever has Vapi's OpenAPI document names its path in `VAPI_OPENAPI`; then the same bodies are held against that too.
"""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

Schema = dict[str, Any]


def _object(required: str = "", **properties: Schema) -> Schema:
    return {"type": "object", "required": required.split(), "properties": properties}


def _only(required: str = "", **properties: Schema) -> Schema:
    """Of requests: Vapi refuses unknown properties."""
    return _object(required, **properties) | {"additionalProperties": False}


TEXT, NUMBER, FLAG = {"type": "string"}, {"type": "number"}, {"type": "boolean"}
MONEY = {"type": "number", "minimum": 0}
TIME = {"type": "string", "format": "date-time"}
UUID = {"type": "string", "format": "uuid"}
E164 = {"type": "string", "pattern": r"^\+[1-9]\d{1,14}$"}
SIP = {"type": "string", "pattern": "^sip:"}
CUSTOMER = _object(number=TEXT, sipUri=SIP, name=TEXT, extension=TEXT, externalId=TEXT)
MESSAGE = _object(
    "role secondsFromStart",
    role={"enum": ["user", "bot", "system", "tool_calls", "tool_call_result"]},
    message=TEXT,
    time=NUMBER,
    secondsFromStart=NUMBER,
    toolCalls={"type": "array", "items": _object("id type function", function=_object("name"))},
)
STATUS = {"enum": ["scheduled", "queued", "ringing", "in-progress", "forwarding", "ended", "not-found", "deletion-failed"]}
ROLE = {"enum": ["assistant", "user"]}

CALL = _object(
    "id orgId createdAt updatedAt type status",
    id=UUID,
    orgId=UUID,
    type={"enum": ["outboundPhoneCall", "inboundPhoneCall", "webCall", "vapi.websocketCall"]},
    status=STATUS,
    createdAt=TIME,
    updatedAt=TIME,
    startedAt=TIME,
    endedAt=TIME,
    endedReason=TEXT,
    endedMessage=TEXT,
    name={"type": "string", "maxLength": 40},
    customer=CUSTOMER,
    assistantId=UUID,
    phoneNumberId=UUID,
    schedulePlan=_object(earliestAt=TIME, latestAt=TIME),
    assistantOverrides=_object(metadata={"type": "object"}, maxDurationSeconds=NUMBER),
    squadId=UUID,
    squadOverrides=_object(metadata={"type": "object"}, maxDurationSeconds=NUMBER),
    monitor=_object(
        listenUrl={"type": "string", "pattern": "^wss?://"},
        controlUrl={"type": "string", "pattern": "^https?://"},
        monitors={"type": "array", "items": _object("monitorId filterPassed", monitorId=TEXT, filterPassed=FLAG)},
    ),
    cost=MONEY,
    costs={"type": "array", "items": _object("type cost", type=TEXT, cost=MONEY)},
    costBreakdown=_object(total=MONEY),
    subscriptionLimits=_object(concurrencyBlocked=FLAG),
    analysis=_object(summary=TEXT, successEvaluation=TEXT, structuredData={"type": "object"}),
    artifact=_object(
        transcript=TEXT,
        messages={"type": "array", "items": MESSAGE},
        structuredOutputs={"type": "object", "additionalProperties": _object(name=TEXT)},
        scorecards={"type": "object", "additionalProperties": _object(name=TEXT, score=NUMBER, scoreNormalized=NUMBER)},
        performanceMetrics=_object(turnLatencyAverage=NUMBER, modelLatencyAverage=NUMBER),
    ),
)
ASSISTANT = _object(
    "id orgId createdAt updatedAt",
    id=UUID,
    name=TEXT,
    firstMessage=TEXT,
    model=_object(messages={"type": "array", "items": _object("role")}),
)
SQUAD = _object("id orgId createdAt updatedAt members", id=UUID, name=TEXT, members={"type": "array", "items": _object(assistantId=UUID)})
PHONE_NUMBER = _object("id orgId createdAt updatedAt provider", id=UUID, name=TEXT, number=TEXT)
NUMBERS_PAGE = _object(
    "results metadata", results={"type": "array", "items": PHONE_NUMBER}, metadata=_object("totalItems", totalItems=NUMBER)
)
BATCH = _object(
    "subscriptionLimits results errors",
    results={"type": "array", "items": CALL},
    errors={"type": "array", "items": _object("customer error", error=TEXT)},
)
EVENT = {
    "oneOf": [
        _object(
            "type role transcriptType transcript",
            type={"enum": ["transcript", 'transcript[transcriptType="final"]']},
            role=ROLE,
            transcriptType={"enum": ["partial", "final"]},
            transcript=TEXT,
            assistantName=TEXT,
        ),
        _object("type status role", type={"const": "speech-update"}, status={"enum": ["started", "stopped"]}, role=ROLE),
        _object("type status", type={"const": "status-update"}, status=STATUS),
        _object("type", type={"enum": ["hang", "user-interrupted", "transfer-update", "assistant.started", "workflow.node.started"]}),
        _object("type toolCallList", type={"const": "tool-calls"}, toolCallList={"type": "array", "items": _object("id type function")}),
        _object("type toolCallResult", type={"const": "tool-calls-result"}, toolCallResult={"type": "object"}),
    ]
}
ERROR = _object(
    "message statusCode", message={"anyOf": [TEXT, {"type": "array", "items": TEXT}]}, error=TEXT, statusCode={"type": "integer"}
)

_SHORT = {"type": "string", "minLength": 1, "maxLength": 40}
_OVERRIDES = _only(
    "metadata",
    metadata=_object("earshotTag", earshotTag=TEXT),
    firstMessage=TEXT,
    variableValues={"type": "object"},
    maxDurationSeconds={"type": "number", "minimum": 10, "maximum": 43_200},
    voicemailDetection={"anyOf": [{"const": "off"}, _only("provider", provider={"const": "vapi"})]},
    voicemailMessage={"type": "string", "maxLength": 1000},
)
CREATE = _only(
    "phoneNumberId customer",
    assistantId=UUID,
    assistantVersion=TEXT,
    assistant=_object("model", model=_object("provider model")),
    squadId=UUID,
    phoneNumberId=UUID,
    customer=_only("", number=E164, sipUri=SIP, name=_SHORT, externalId=_SHORT),
    name={"type": "string", "maxLength": 40},
    assistantOverrides=_OVERRIDES,
    squadOverrides=_OVERRIDES,
    schedulePlan=_only("earliestAt", earliestAt=TIME),
) | {
    "oneOf": [
        {"required": ["assistantId", "assistantOverrides"]},
        {"required": ["assistant", "assistantOverrides"]},
        {"required": ["squadId", "squadOverrides"]},
    ]
}
_MUTES = ["mute-assistant", "unmute-assistant", "mute-customer", "unmute-customer", "say-first-message"]
CONTROL = {
    "oneOf": [
        _only(
            "type content",
            type={"const": "say"},
            content=TEXT,
            endCallAfterSpoken=FLAG,
            interruptAssistantEnabled=FLAG,
            interruptionsEnabled=FLAG,
        ),
        _only(
            "type message",
            type={"const": "add-message"},
            message=_only("role content", role={"const": "system"}, content=TEXT),
            triggerResponseEnabled=FLAG,
        ),
        _only("type control", type={"const": "control"}, control={"enum": _MUTES}),
        _only("type", type={"const": "end-call"}),
        _only(
            "type destination",
            type={"const": "transfer"},
            content=TEXT,
            destination={
                "oneOf": [
                    _only("type number", type={"const": "number"}, number=E164),
                    _only("type sipUri", type={"const": "sip"}, sipUri=SIP),
                ]
            },
        ),
        _only(
            "type destination",
            type={"const": "handoff"},
            content=TEXT,
            destination=_only("type assistantId", type={"const": "assistant"}, assistantId=TEXT),
        ),
    ]
}

CONTROLS = {  # Vapi's document has a schema for each but `handoff`, which docs.vapi.ai alone describes
    "say": "ClientInboundMessageSay",
    "add-message": "ClientInboundMessageAddMessage",
    "control": "ClientInboundMessageControl",
    "end-call": "ClientInboundMessageEndCall",
    "transfer": "ClientInboundMessageTransfer",
    "handoff": "",
}


def faults(body: Any, schema: Schema, theirs: str = "") -> list[str]:
    """What is wrong with a body: by our schema, and by Vapi's of that name if its document is there."""
    found = list(jsonschema_rs.validator_for(schema, validate_formats=True).iter_errors(body))
    if theirs and (document := _document()):
        found += _validator(document, theirs).iter_errors(body)
    return [f"{'/'.join(map(str, error.instance_path))}: {error.message[:300]}" for error in found]


def _document() -> str | None:
    return os.environ.get("VAPI_OPENAPI")


@cache
def _validator(document: str, name: str) -> Any:
    # Vapi means anyOf: its schemas of a user's and a bot's message differ in nothing that a validator can see.
    components = json.loads(Path(document).read_text().replace('"oneOf"', '"anyOf"'))["components"]
    return jsonschema_rs.validator_for({"$ref": f"#/components/schemas/{name}", "components": components})
