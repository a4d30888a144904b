"""The texts that Vapi writes about a call, with all numbers masked if the call is from before a number was erased."""

from dataclasses import replace

from services.domain.call import Call, CallStatus
from services.domain.spellings import hide_stored_digits
from services.journal.database.codec import dump, load_call, milliseconds

ERASED_AT = "numbers-erased-at"
"""The state with the time of the last erasure of a number. Texts of earlier calls that Vapi delivers later may name the number, which
must not be kept to recognize it in them."""

_NOTHING = Call(id="", status=CallStatus.ENDED)


def texts_of(call: Call | None) -> tuple[object, ...]:
    """The texts that Vapi writes about a call."""
    call = call or _NOTHING
    return call.summary, call.ended_message, call.analysis


def hidden(call: Call, erased_at_ms: int) -> Call:
    """The call as it may be kept after a number was erased at that time, in milliseconds since 1970."""
    if not any(texts_of(call)) or not call.created_at or milliseconds(call.created_at) >= erased_at_ms:
        return call
    texts = replace(_NOTHING, summary=call.summary, ended_message=call.ended_message, analysis=call.analysis)
    masked = load_call(hide_stored_digits(dump(texts)))
    return replace(call, summary=masked.summary, ended_message=masked.ended_message, analysis=masked.analysis)
