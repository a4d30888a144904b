"""The body of `POST /call` (OpenAPI `CreateCallDTO`). Vapi refuses unknown properties."""

from typing import Any

from services.domain.call import CallOrder
from services.domain.voicemail import Voicemail
from services.support.rfc3339 import rfc3339

TAG_KEY = "earshotTag"
"""The key of our own tag in the metadata of the overrides."""

_DETECT = {"provider": "vapi"}


def create_body(order: CallOrder) -> dict[str, Any]:
    """The tag is in the overrides' `metadata`: in `squadOverrides` for a squad, which hold for each of its assistants."""
    body: dict[str, Any] = {
        **_who_speaks(order),
        "phoneNumberId": order.phone_number_id,
        "customer": _customer(order),
        "name": order.label[:40],
        "squadOverrides" if order.squad_id else "assistantOverrides": _overrides(order),
    }
    if order.earliest_at is not None:
        latest = {"latestAt": rfc3339(order.latest_at)} if order.latest_at else {}
        body["schedulePlan"] = {"earliestAt": rfc3339(order.earliest_at), **latest}
    return body


def _who_speaks(order: CallOrder) -> dict[str, Any]:
    if order.squad_id:
        return {"squadId": order.squad_id}
    if order.assistant is not None:
        return {"assistant": dict(order.assistant)}
    version = {"assistantVersion": order.assistant_version} if order.assistant_version else {}
    return {"assistantId": order.assistant_id, **version}


def _customer(order: CallOrder) -> dict[str, str]:
    customer = {"sipUri": order.sip_uri} if order.sip_uri else {"number": order.to}
    if order.customer_name:
        customer["name"] = order.customer_name
    if order.external_id:
        customer["externalId"] = order.external_id
    return customer


def _overrides(order: CallOrder) -> dict[str, Any]:
    overrides: dict[str, Any] = {"metadata": {TAG_KEY: order.tag}}
    if order.opening is not None:
        # Everybody recorded must have heard it: it can't be interrupted, and comes even if the customer would begin.
        overrides |= {
            "firstMessage": order.opening,
            "firstMessageMode": "assistant-speaks-first",
            "firstMessageInterruptionsEnabled": False,
        }
    elif order.first_message is not None:
        overrides["firstMessage"] = order.first_message
    if order.consent is not None and not order.consent.records:
        # This plan replaces the assistant's own. Packet captures contain the sound too.
        unrecorded = {"recordingEnabled": False, "videoRecordingEnabled": False, "pcapEnabled": False}
        overrides["artifactPlan"] = {**order.artifacts, **unrecorded}
    if order.variable_values:
        overrides["variableValues"] = dict(order.variable_values)
    if order.max_duration_seconds is not None:
        overrides["maxDurationSeconds"] = order.max_duration_seconds
    match order.voicemail:
        case Voicemail.CONTINUE:
            overrides["voicemailDetection"] = "off"
        case Voicemail.HANG_UP:
            # Without a message Vapi hangs up. The empty one replaces a message that the assistant may have of its own.
            overrides |= {"voicemailDetection": _DETECT, "voicemailMessage": ""}
        case Voicemail.LEAVE_MESSAGE:
            overrides |= {"voicemailDetection": _DETECT, "voicemailMessage": order.voicemail_message or ""}
    return overrides
