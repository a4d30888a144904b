"""How an ended call looks: the tone gives it a shape and a colour of its own, wherever it is shown."""

from services.domain.call import Call
from services.vapi.ended_reasons import Family, family_of

_TONES = {
    Family.FINISHED: "finished",
    Family.HOOK: "finished",
    Family.NOT_REACHED: "missed",
    Family.CANCELLED: "cancelled",
    Family.TRANSFER: "trouble",
    Family.ACCOUNT: "trouble",
    Family.SETUP: "trouble",
    Family.PROVIDER: "trouble",
    Family.VAPI: "trouble",
    Family.UNKNOWN: "cancelled",
}


def tone_of(call: Call) -> str:
    """`finished` after a conversation, `missed` if nobody took the call, `cancelled` if it was given up or nobody knows, `trouble` if
    something failed. Empty while it is active."""
    if call.running:
        return ""
    tone = _TONES[family_of(call.ended_reason)]
    return "cancelled" if tone == "finished" and not call.answered else tone
