"""What happens if a machine answers, by the settings of the assistant and the order (OpenAPI `voicemailDetection`, `voicemailMessage`)."""

from typing import Any

Body = dict[str, Any]

DETECTION = {"provider": "vapi"}
"""How the account's assistants detect a voicemail."""
TALKS_ON_S = 8.0
"""Seconds that an assistant without detection talks to the machine before the call ends for silence."""

_PROVIDERS = ("google", "openai", "twilio", "vapi")
_LONGEST = 1000  # characters


def voicemail_errors(overrides: Body) -> list[str]:
    detection, message = overrides.get("voicemailDetection", "off"), overrides.get("voicemailMessage", "")
    known = detection == "off" or (isinstance(detection, dict) and detection.get("provider") in _PROVIDERS)
    fits = isinstance(message, str) and len(message) <= _LONGEST
    return [
        *([] if known else ["voicemailDetection must be off, or an object with a provider"]),
        *([] if fits else [f"voicemailMessage must be shorter than or equal to {_LONGEST} characters"]),
    ]


def detects(settings: Body) -> bool:
    """By default detection is disabled."""
    return bool(settings.get("voicemailDetection", "off") != "off")
