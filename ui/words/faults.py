"""What went wrong, and why a call ended, in the page's language. The services say it in English, with codes that stay stable."""

from services.domain.errors import EarshotError
from services.vapi.ended_reasons import EndedReason
from ui.words import language
from ui.words.german_faults import ADVICE, ENDED, FAMILIES, FAULTS, TITLES


def error_words(error: EarshotError) -> tuple[str, str]:
    """Title and detail. What Vapi itself says stays in Vapi's words."""
    if language() != "de":
        return error.title, error.detail
    return TITLES.get(error.title, error.title), FAULTS.get(error.code, error.detail)


def ended_words(reason: EndedReason) -> tuple[str, str]:
    """Title and next step. A code without a sentence of its own is told by its family, and shown."""
    if language() != "de":
        return reason.title, reason.next_step
    if reason.code and reason.code in ENDED:
        title, next_step = ENDED[reason.code]
    else:
        title, next_step = FAMILIES[reason.family], None
        if reason.code and reason.family != "finished":
            title = f"{title} ({reason.code})"
    return title, ADVICE[reason.family] if next_step is None else next_step
