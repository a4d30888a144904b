"""Checks an assistant that a request brings with it. It may talk, and nothing else.

Such an assistant is not the account's: whoever may place calls writes it. A tool, a hook or a server of its own could transfer the call
past the dial guard, take away the control over it, or send what is said to somebody else. So only fields that are known to do none of this
are let through.
"""

import re
from collections.abc import Mapping
from typing import Any

from services.domain.errors import FieldError, RequestError

FIELDS = (
    *("name", "model", "voice", "transcriber", "firstMessage", "firstMessageMode", "firstMessageInterruptionsEnabled"),
    *("endCallMessage", "endCallPhrases", "voicemailDetection", "voicemailMessage", "backgroundSound", "backgroundSpeechDenoisingPlan"),
    *("startSpeakingPlan", "stopSpeakingPlan", "modelOutputInMessagesEnabled"),
)
"""The fields of an assistant (OpenAPI `CreateAssistantDTO`) that a request may set."""

MODEL_FIELDS = ("provider", "model", "messages", "temperature", "maxTokens", "emotionRecognitionEnabled", "numFastTurns", "tools")
BACKGROUND_SOUNDS = ("off", "office")
"""Names only: Vapi would fetch an address from a server that the sender of the request chose."""

TOOLS = ("endCall", "voicemail")
"""The tools that reach nobody. They may have no fields of their own but their type."""

_LEADS_AWAY = re.compile("url|uris?$|server|callback|bucket|arn$|credential|header|hook|tool", re.IGNORECASE)
"""In the names of fields of any part, such as a voice or a transcriber, that lead to another server or reach somebody: Vapi's own
`realtimeUrl` of a transcriber is where the customer's voice goes, `callbackUrl` and `recordingS3BucketName` of a voice where the
conversation goes. By parts of names, since Vapi adds providers, and fields to them, all the time.
"""

_FIELD = "assistant"


def check_inline_assistant(assistant: Mapping[str, Any]) -> None:
    """Raises RequestError with the field that is not allowed."""
    for name in assistant:
        if name not in FIELDS:
            raise _refused(name)
    model = assistant.get("model")
    if not isinstance(model, dict) or not all(isinstance(model.get(name), str) and model[name] for name in ("provider", "model")):
        raise _error("assistant.model", "Name the provider and the model, like {'provider': 'openai', 'model': 'gpt-4o'}.")
    for name in model:
        if name not in MODEL_FIELDS:
            raise _refused(f"model.{name}")
    tools = model.get("tools", [])
    if not isinstance(tools, list) or any(tool not in [{"type": kind} for kind in TOOLS] for tool in tools):
        raise _error("assistant.model.tools", f"An assistant in a request may have only the tools {' and '.join(TOOLS)}, given by type.")
    if assistant.get("backgroundSound", "off") not in BACKGROUND_SOUNDS:
        raise _error("assistant.backgroundSound", f"An assistant in a request may have {' or '.join(BACKGROUND_SOUNDS)}.")
    rest = {**assistant, "model": {name: value for name, value in model.items() if name != "tools"}}
    if path := _forbidden(rest, ""):
        raise _refused(path)


def _forbidden(value: Any, path: str) -> str | None:
    """The path of the first forbidden field, such as `voice.server`."""
    if isinstance(value, dict):
        for name, part in value.items():
            if _LEADS_AWAY.search(name):
                return f"{path}{name}"
            if found := _forbidden(part, f"{path}{name}."):
                return found
    if isinstance(value, list):
        return next((found for part in value if (found := _forbidden(part, path))), None)
    return None


def _refused(path: str) -> RequestError:
    return _error(
        f"{_FIELD}.{path[:80]}", "An assistant in a request can't have this field. Make the assistant at Vapi, and send its assistantId."
    )


def _error(field: str, detail: str) -> RequestError:
    return RequestError(f"{field}: {detail}", errors=[FieldError(field, detail)])
