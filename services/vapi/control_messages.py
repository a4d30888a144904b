"""The messages that a call's control URL takes (docs.vapi.ai, "Live call control")."""

from collections.abc import Mapping
from typing import Any

from services.domain.control import Action, Control

END_CALL: Mapping[str, Any] = {"type": "end-call"}


def control_message(control: Control) -> Mapping[str, Any]:
    """Vapi's message for a control that `Control.check` has accepted."""
    match control.action:
        case Action.SAY:
            return {"type": "say", "content": control.content, "endCallAfterSpoken": control.end_call_after_spoken}
        case Action.ADD_MESSAGE:
            return {"type": "add-message", "message": {"role": "system", "content": control.content}, "triggerResponseEnabled": True}
        case Action.TRANSFER:
            to = control.destination
            destination = {"type": "sip", "sipUri": to} if control.by_sip else {"type": "number", "number": to}
            content = {"content": control.content} if control.content else {}
            return {"type": "transfer", "destination": destination, **content}
        case _:
            return {"type": "control", "control": control.action.value}
