"""The messages that a call's control URL takes (docs.vapi.ai, "Live call control").

`handoff` is in that page alone, `mute-customer` in the OpenAPI document alone. Neither was tried against the real Vapi.
"""

from collections.abc import Mapping
from typing import Any

from services.domain.control import Action, Control

END_CALL: Mapping[str, Any] = {"type": "end-call"}


def control_message(control: Control) -> Mapping[str, Any]:
    """Vapi's message for a control that `Control.check` has accepted."""
    match control.action:
        case Action.SAY:
            message: dict[str, Any] = {"type": "say", "content": control.content, "endCallAfterSpoken": control.end_call_after_spoken}
            if control.interrupt:
                message["interruptAssistantEnabled"] = True
            if control.interruptible is not None:
                message["interruptionsEnabled"] = control.interruptible
            return message
        case Action.ADD_MESSAGE:
            return {
                "type": "add-message",
                "message": {"role": "system", "content": control.content},
                "triggerResponseEnabled": not control.silent,
            }
        case Action.TRANSFER:
            to = control.destination
            destination = {"type": "sip", "sipUri": to} if control.by_sip else {"type": "number", "number": to}
            return {"type": "transfer", "destination": destination, **_spoken(control)}
        case Action.HANDOFF:
            # Without a plan for the context, the next assistant gets the conversation so far.
            return {"type": "handoff", "destination": {"type": "assistant", "assistantId": control.assistant_id}, **_spoken(control)}
        case _:
            return {"type": "control", "control": control.action.value}


def _spoken(control: Control) -> Mapping[str, Any]:
    """What the assistant says before it leaves."""
    return {"content": control.content} if control.content else {}
