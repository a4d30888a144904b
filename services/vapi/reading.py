"""Reads Vapi's JSON leniently: fields that are missing, null, new or of an undocumented type never raise."""

import logging
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, TypeVar

from services.domain.call import LONGEST_CALL_SECONDS, Assistant, Call, CallerId, CallStatus, CostItem, Squad
from services.vapi import values
from services.vapi.analysis import read_analysis
from services.vapi.create_body import TAG_KEY
from services.vapi.template_variables import MOST, variables_of

logger = logging.getLogger(__name__)

PRESIGNED_RECORDINGS = ("presignedStereoUrl", "presignedMonoUrl")
"""The fields of `artifact` with addresses that need no key until they expire."""

Entry = TypeVar("Entry")

_MOST_COSTS = 100  # Vapi lists about ten
_MOST_OPENING = 4000  # characters
_MOST_PLAN = 5000  # characters
_ANALYSES = ("structuredOutputIds", "scorecardIds", "transcriptPlan", "fullMessageHistoryEnabled", "loggingEnabled")
"""Fields of an artifact plan that neither record sound nor name a place to store it."""
_MOST_MEMBERS = 100


def read_call(body: Any) -> Call | None:
    """Vapi's `Call`; None if it has no usable id. Of a batch response (`results`) the first call is read."""
    top = values.table(body)
    results = top.get("results")
    table = values.table(results[0]) if "id" not in top and isinstance(results, list) and results else top
    call_id = values.identifier(table.get("id"))
    if call_id is None:
        return None
    started_at, ended_at = values.time(table.get("startedAt")), values.time(table.get("endedAt"))
    ended_reason = values.text(table.get("endedReason"))
    caller = values.table(table.get("phoneNumber"))
    sources = [values.table(table.get(source)) for source in ("assistantOverrides", "squadOverrides", "assistant")]
    longest = values.first(*(_duration(source.get("maxDurationSeconds")) for source in sources))
    name, kind = values.text(table.get("name")), values.text(table.get("type"))
    plan = values.table(table.get("schedulePlan"))
    customer, artifact = values.table(table.get("customer")), values.table(table.get("artifact"))
    return Call(
        id=call_id,
        status=_status(table.get("status"), ended=bool(ended_at or ended_reason), started=bool(started_at)),
        to=values.text(customer.get("number")),
        sip_uri=values.text(customer.get("sipUri")),
        extension=values.text(customer.get("extension")),
        customer_name=values.text(customer.get("name")),
        external_id=values.text(customer.get("externalId")),
        caller_id=values.text(caller.get("number")) or values.text(caller.get("twilioPhoneNumber")),
        assistant_id=values.identifier(table.get("assistantId")),
        squad_id=values.identifier(table.get("squadId")),
        phone_number_id=values.identifier(table.get("phoneNumberId")),
        name=name,
        tag=_tag_of(sources[:2]) or _tag_in(name),
        inbound=kind == "inboundPhoneCall",
        web=kind in ("webCall", "vapi.websocketCall"),
        max_duration_seconds=None if longest is None else int(longest),
        earliest_at=values.time(plan.get("earliestAt")),
        latest_at=values.time(plan.get("latestAt")),
        created_at=values.time(table.get("createdAt")),
        updated_at=values.time(table.get("updatedAt")),
        started_at=started_at,
        ended_at=ended_at,
        ended_reason=ended_reason,
        ended_message=values.text(table.get("endedMessage"), most=values.WORDS),
        cost=values.first(values.dollars(table.get("cost")), values.dollars(values.table(table.get("costBreakdown")).get("total"))),
        costs=_costs(table),
        summary=_words(values.table(table.get("analysis")).get("summary")) or _words(table.get("summary")),
        analysis=read_analysis(table),
        recording_url=_recording_url(table),
        logged=isinstance(artifact.get("logUrl"), str),
        captured=isinstance(artifact.get("pcapUrl"), str),
        concurrency_blocked=values.table(top.get("subscriptionLimits")).get("concurrencyBlocked") is True,
    )


def read_assistant(body: Any) -> Assistant | None:
    """Only what a picker and an order need: the rest of an assistant may contain credentials and `server.headers`."""
    table = values.table(body)
    assistant_id = values.identifier(table.get("id"))
    if assistant_id is None:
        return None
    return Assistant(
        id=assistant_id,
        name=values.text(table.get("name")),
        variables=variables_of(table),
        opening=_opening(table),
        language=values.text(values.table(table.get("transcriber")).get("language")),
        artifacts=_artifacts(table),
    )


def _opening(assistant: dict[str, Any]) -> str | None:
    if assistant.get("firstMessageMode") in (None, "assistant-speaks-first"):
        return values.text(assistant.get("firstMessage"), most=_MOST_OPENING)
    return None


def _artifacts(assistant: dict[str, Any]) -> dict[str, Any]:
    plan = values.table(assistant.get("artifactPlan"))
    found = {name: values.plain_json(plan[name], most=_MOST_PLAN) for name in _ANALYSES if plan.get(name) is not None}
    return {name: value for name, value in found.items() if value is not None}


def read_squad(body: Any) -> Squad | None:
    """Only what a picker needs. A member is an assistant of the account, or one that only the squad has."""
    table = values.table(body)
    squad_id = values.identifier(table.get("id"))
    if squad_id is None:
        return None
    members = [values.table(member) for member in values.rows(table.get("members"), most=_MOST_MEMBERS)]
    ids = (values.identifier(member.get("assistantId")) for member in members)
    named = [name for member in members for name in variables_of(values.table(member.get("assistant")))]
    return Squad(
        id=squad_id,
        name=values.text(table.get("name")),
        members=tuple(found for found in ids if found),
        variables=tuple(dict.fromkeys(named))[:MOST],
    )


def read_caller_id(body: Any) -> CallerId | None:
    """Only what a picker needs: the rest of a phone number may contain its carrier's tokens."""
    table = values.table(body)
    number_id = values.identifier(table.get("id"))
    if number_id is None:
        return None
    return CallerId(
        id=number_id,
        number=values.text(table.get("number")),
        name=values.text(table.get("name")),
        provider=values.text(table.get("provider")),
    )


def read_each(bodies: Iterable[Any], read: Callable[[Any], Entry | None]) -> list[Entry]:
    """The readable entries of a list. Logs the number of unreadable ones."""
    entries = [read(body) for body in bodies]
    readable = [entry for entry in entries if entry is not None]
    if len(readable) < len(entries):
        logger.warning("Vapi: %d of %d entries skipped: no usable id", len(entries) - len(readable), len(entries))
    return readable


def _status(word: Any, *, ended: bool, started: bool) -> CallStatus:
    """Vapi's status. A missing or unknown one is inferred from the call's times."""
    if isinstance(word, str):
        if word in _STATUSES:
            return _STATUSES[word]
        _note_unknown_status(word[:40])
    if ended:
        return CallStatus.ENDED
    return CallStatus.IN_PROGRESS if started else CallStatus.QUEUED


_STATUSES = {
    **{status.value: status for status in CallStatus if status is not CallStatus.UNKNOWN},
    # Vapi's words for calls whose data was to be deleted. Such a call is over, whether or not it has times.
    "not-found": CallStatus.ENDED,
    "deletion-failed": CallStatus.ENDED,
}


@lru_cache(maxsize=64)
def _note_unknown_status(word: str) -> None:
    """Logs a word once: a poller would repeat it every second."""
    logger.warning("Vapi: a call's status is %r, which is not known here; its times decide", word)


def _costs(table: dict[str, Any]) -> tuple[CostItem, ...]:
    """The parts of the price, from `costs`, which lists all of them, or from the older `costBreakdown`."""
    listed = [values.table(item) for item in values.rows(table.get("costs"), most=_MOST_COSTS)]
    parts = [(item.get("type"), item.get("cost")) for item in listed]
    breakdown = values.table(table.get("costBreakdown"))
    parts = parts or [(kind, breakdown.get(kind)) for kind in ("transport", "stt", "llm", "tts", "vapi", "chat")]
    return tuple(
        CostItem(kind=kind, dollars=dollars)
        for kind, dollars in ((values.text(kind), values.dollars(dollars)) for kind, dollars in parts)
        if kind is not None and dollars is not None
    )


def _duration(value: Any) -> float | None:
    """A maximum duration in seconds; None beyond Vapi's own limits."""
    seconds = values.number(value)
    return seconds if seconds is not None and 1 <= seconds <= LONGEST_CALL_SECONDS else None


def _words(value: Any) -> str | None:
    return values.text(value, most=values.WORDS)


def stored_recordings(call: dict[str, Any]) -> tuple[Any, ...]:
    """What a call has in the places of its recording's address, in stereo first, unchecked."""
    artifact = values.table(call.get("artifact"))
    recording = values.table(artifact.get("recording"))
    mono = values.table(recording.get("mono"))
    return (
        *(recording.get("stereoUrl"), artifact.get("stereoRecordingUrl"), mono.get("combinedUrl"), artifact.get("recordingUrl")),
        *(call.get("stereoRecordingUrl"), call.get("recordingUrl")),
    )


def _recording_url(call: dict[str, Any]) -> str | None:
    """Vapi's own recording. Stored ones come first, since the presigned addresses change with each read."""
    artifact = values.table(call.get("artifact"))
    found = (*stored_recordings(call), *(artifact.get(name) for name in PRESIGNED_RECORDINGS))
    return next((url for url in found if isinstance(url, str) and re.fullmatch(r"https://[!-\[\]-~]{1,2000}", url)), None)


def _tag_of(overrides: Iterable[dict[str, Any]]) -> str | None:
    """Our tag from the metadata that `create_body` sent."""
    tags = (values.text(values.table(source.get("metadata")).get(TAG_KEY)) for source in overrides)
    return next(filter(None, tags), None)


def _tag_in(name: str | None) -> str | None:
    """Our tag from a name that `CallOrder.label` made."""
    found = re.fullmatch(r"earshot (\S+)", name or "")
    return found[1] if found else None
