"""What went wrong, and why a call ended, in the page's language. The services say it in English, with stable codes."""

from services.domain.call import Call
from services.domain.errors import EarshotError
from services.vapi.ended_reasons import EndedReason, explain
from ui.words import words


def error_words(error: EarshotError) -> tuple[str, str]:
    """Title and detail. Where a language has no text for the code, the detail stays as the service says it: Vapi's own words do."""
    return words().sentence(error.title), words().faults.get(error.code, error.detail)


def ended_words(call: Call) -> EndedReason | None:
    """Why the call ended and what to do about it; None while it is active."""
    return None if call.running else explain(call.ended_reason, call.ended_message, translate=words().sentence)
