"""Why a call ended, in plain words: Vapi's `endedReason` as a sentence and a next step.

SDK 3.0.0 lists 604 codes (`vapi.types.CallEndedReason`). The common ones have their own sentences. About 500 combine a provider and a
fault (`pipeline-error-openai-401-unauthorized`), and their sentences are combined likewise. An unknown code is shown as it is, with the
advice for the family that its form suggests.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from services.domain.call import Call
from services.vapi.ended_sentences import FAULTS, FORMS, PROVIDERS, SENTENCES


class Family(StrEnum):
    """The kind of end: decides colour and advice. Lists of calls can be filtered by it."""

    FINISHED = "finished"
    NOT_REACHED = "not-reached"
    ACCOUNT = "account"
    SETUP = "setup"
    CANCELLED = "cancelled"
    TRANSFER = "transfer"
    HOOK = "hook"
    PROVIDER = "provider"
    VAPI = "vapi"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class EndedReason:
    """`title` is a short sentence, `next_step` what to do about it; empty if nothing needs to be done."""

    code: str | None
    title: str
    next_step: str
    family: Family


def explain(code: str | None, message: str | None = None, *, translate: Callable[[str], str] = str) -> EndedReason:
    """Explains `endedReason` and, where the call went wrong, adds Vapi's `endedMessage` to the next step.

    `translate` is given each English sentence and returns it in the reader's language, with the same placeholders. Never raises.
    """
    family = family_of(code)
    title, next_step = SENTENCES.get(code or "", (None, None))
    name = ""
    if title is None and code:
        title, next_step, name = _of_provider(code)
        if title is None:
            title, next_step = next(((words, step) for form, words, step in FORMS if re.fullmatch(form, code)), (None, next_step))
    if next_step is None or family is Family.VAPI:
        next_step = _ADVICE[family]
    title = translate(title).format(name=name) if title else code or translate("The call ended.")
    next_step = next_step and translate(next_step).format(name=name)
    words = " ".join((message or "").split())
    if words and family is not Family.FINISHED:
        next_step = f"{next_step} {translate('Vapi says: {words}').format(words=words[:300])}".strip()
    return EndedReason(code, title, next_step, family)


def why_ended(call: Call) -> EndedReason | None:
    """Why the call ended, with a next step; None while it runs."""
    return None if call.running else explain(call.ended_reason, call.ended_message)


@lru_cache(maxsize=2048)
def family_of(code: str | None) -> Family:
    """The family of an `endedReason`; `UNKNOWN` for None and for a code of unknown form."""
    return next((family for pattern, family in _FAMILIES if re.fullmatch(pattern, code or "")), Family.UNKNOWN)


def _of_provider(code: str) -> tuple[str | None, str | None, str]:
    """Title, next step and company for a fault of a company behind an assistant's model, voice or transcriber."""
    found = _PROVIDER_CODE.fullmatch(code)
    if found is None:
        return None, None, ""
    name = PROVIDERS[found["provider"]]
    for pattern, title, next_step in FAULTS:
        if re.search(pattern, found["fault"]):
            return title, next_step, name
    return None, None, name


_FAMILIES = (  # the first match wins
    (
        r"customer-ended-call.*|assistant-(ended-call|said-).*|assistant-forwarded-call|manually-canceled|exceeded-max-duration"
        r"|silence-timed-out|call\.in-progress\.(twilio|sip)-completed-call|vonage-completed|call\.ringing\.sip-inbound-caller-hungup.*",
        Family.FINISHED,
    ),
    (r".*hook-executed.*", Family.HOOK),
    (r".*transfer.*|call\.forwarding\..*", Family.TRANSFER),
    (
        r"customer-(busy|did-not-).*|voicemail|.*misdialed|.*failed-to-connect-call|.*sip-(in|out)bound-call-failed-to-connect"
        r"|vonage-(rejected|disconnected)|.*outbound-sip-\d+-.*|sip-outbound-.*|assistant-join-timed-out|.*did-not-receive-customer-audio",
        Family.NOT_REACHED,
    ),
    (
        r"call\.start\.error-(subscription|fraud-check|vapi-number|enterprise)-.*|call\.start\.error-get-(org|subscription)"
        r"|.*-wallet-does-not-exist",
        Family.ACCOUNT,
    ),
    (r".*vapifault.*|.*worker-.*|phone-call-provider-closed-websocket|(pipeline-error|.*providerfault)-vapi-.*", Family.VAPI),
    (
        r"call\.start\..*|call-start-error-.*|assistant-(not|request)-.*|assistant-error|.*-no-available-llm-model|.*configfault.*|.*error-pipeline-.*|phone-call-provider-bypass-.*",
        Family.SETUP,
    ),
    (r"scheduled-call-deleted|call-deleted|earshot-cancelled", Family.CANCELLED),
    (r".*providerfault.*|pipeline-error-.*", Family.PROVIDER),
)

_ADVICE = {
    Family.FINISHED: "",
    Family.NOT_REACHED: "Check the number and try again later.",
    Family.ACCOUNT: "Check plan, balance and limits in the Vapi dashboard.",
    Family.SETUP: "Check the assistant and the phone number in the Vapi dashboard.",
    Family.CANCELLED: "",
    Family.TRANSFER: "Check the transfer destination in the Vapi dashboard.",
    Family.HOOK: "",
    Family.PROVIDER: "Try again. If it happens again, choose another provider for this part of the assistant.",
    Family.VAPI: "The fault is Vapi's. Try again; if it happens again, give Vapi's support the call id.",
    Family.UNKNOWN: "",
}

_PROVIDER_CODE = re.compile(
    rf"(?:pipeline-error|call\.[a-z-]+\.error-(?:provider|vapi)fault)-(?P<provider>{'|'.join(PROVIDERS)})-(?P<fault>.+)"
)
