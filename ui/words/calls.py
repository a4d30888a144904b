"""A call in words: its numbers, state, outcome and cost."""

from dataclasses import replace

from services.desk.calls.timeline import Entry
from services.desk.desk import CallDesk
from services.domain.call import Call, CallOrder, CallStatus, CostItem
from services.domain.control import Action
from services.domain.phone_number import international, region_name, region_of
from services.vapi.ended_reasons import EndedReason
from ui.words import dollars, language, say, state, words
from ui.words.faults import ended_words


def number(call: Call | CallOrder) -> str:
    """The other end: its number with the extension, its SIP address, or that it is a call in a browser."""
    if call.to:
        extension = call.extension if isinstance(call, Call) else None
        return f"{international(call.to)}, {say('extension', extension=extension)}" if extension else international(call.to)
    if call.sip_uri:
        return call.sip_uri
    if isinstance(call, Call) and call.erasure:
        return say("erased_call")
    return say("web_call" if isinstance(call, Call) and call.web else "unknown_number")


def who(desk: CallDesk, call: Call | CallOrder) -> str:
    """The other end by the name of its contact, else as `number` says it."""
    return desk.contacts.name_of(call.to) or number(call)


def named(desk: CallDesk, e164: str) -> str:
    """A number with the name of its contact before it: `Ana Flores, +1 415-555-2671`. Anything else unchanged."""
    return ", ".join(filter(None, (desk.contacts.name_of(e164), international(e164))))


def masked(call: Call | CallOrder) -> str:
    """The other end for a room to see: of its number only the last two digits, of an address nothing."""
    if not call.to:
        return "sip:•••" if call.sip_uri else number(call)
    digits = sum(each.isdigit() for each in call.to)
    seen = 0
    shown = []
    for each in international(call.to).removeprefix("+"):
        seen += each.isdigit()
        shown.append("•" if each.isdigit() and seen <= digits - 2 else each)
    return "".join(shown)


def subtitle(desk: CallDesk, call: Call | CallOrder) -> str:
    """`Dana, United States, from Main line as Riley`, as far as known. It begins with the number if a contact's name stands above."""
    region = region_name(region_of(call.to or ""), language())
    line = desk.directory.caller_id_name(call.phone_number_id)
    if not line and isinstance(call, Call):
        line = international(call.caller_id or "")
    assistant = desk.directory.speaker_name(call)
    ways = " ".join(filter(None, (line and say("from_line", line=line), assistant and say("as_assistant", assistant=assistant))))
    name = call.customer_name if isinstance(call, Call) else None
    written = number(call) if desk.contacts.name_of(call.to) else ""
    machine = say("by_machine", client=call.placed_by) if isinstance(call, Call) and call.by_machine and call.placed_by else ""
    return ", ".join(filter(None, (written, name, region, ways, machine)))


def why_ended(desk: CallDesk, call: Call) -> EndedReason | None:
    """Why the call ended and what to do about it; None while it is active. Vapi says that the assistant forwarded it, also when somebody
    here did."""
    reason = ended_words(call)
    if reason and reason.code == _FORWARDED and any(_is_transfer(entry) for entry in desk.timelines.of(call.id)):
        return replace(reason, title=say("transferred_from_here"))
    return reason


def outcome(desk: CallDesk, call: Call) -> str:
    """The state of an active call; why an ended one ended and how long it lasted: `You ended the call · 0:33`."""
    reason = why_ended(desk, call)
    if reason is None:
        return state(call.status)
    lasted = duration(call)
    return f"{reason.title.removesuffix('.')} · {lasted}" if lasted else reason.title


def _is_transfer(entry: Entry) -> bool:
    return entry.action == Action.TRANSFER and entry.outcome == "taken"


def summary(call: Call) -> str:
    """Vapi's summary. That of the demo line is known beforehand, and so in the page's language."""
    return words().sentence(call.summary or "")


def remark(call: Call) -> str:
    """What is unusual about an active call; empty if nothing is."""
    if call.status in (CallStatus.UNKNOWN, CallStatus.SCHEDULED, CallStatus.FORWARDING):
        return say(call.status.value)
    return say("blocked") if call.blocked else ""


def duration(call: Call) -> str:
    """From answer to end, as the clock beside it shows: `3:08`, or `1:03:08` from one hour."""
    if call.started_at is None or call.ended_at is None:
        return ""
    minutes, seconds = divmod(max(0, int((call.ended_at - call.started_at).total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def cost(call: Call) -> str:
    if call.cost is None:
        return ""
    return say("cent", amount=dollars(0.01)) if 0 < call.cost < 0.005 else dollars(call.cost)


def cost_of(item: CostItem) -> str:
    """Part of a price, with a third digit below 10 cents."""
    return dollars(item.dollars, digits=2 if item.dollars >= 0.1 else 3)


def cost_part(item: CostItem) -> str:
    """What a part of the price was for; Vapi's own word if we have none."""
    key = _COST_PARTS.get(item.kind)
    return say(key) if key else item.kind


_FORWARDED = "assistant-forwarded-call"

_COST_PARTS = {
    "transport": "cost_transport",
    "transcriber": "cost_transcriber",
    "stt": "cost_transcriber",
    "model": "cost_model",
    "llm": "cost_model",
    "voice": "cost_voice",
    "tts": "cost_voice",
    "vapi": "cost_vapi",
    "analysis": "cost_analysis",
    "analysisCostBreakdown": "cost_analysis",
    "knowledge-base": "cost_knowledge",
    "voicemail-detection": "cost_voicemail",
}
