"""Reads Vapi's JSON leniently: fields that are missing, null, new or of an undocumented type never raise."""

import logging
import math
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from services.domain.call import Assistant, Call, CallerId, CallStatus, CostItem

logger = logging.getLogger(__name__)

TAG_KEY = "earshotTag"
"""The key of our own tag in `assistantOverrides.metadata`."""

Entry = TypeVar("Entry")


def read_call(body: Any) -> Call | None:
    """Vapi's `Call`; None if it has no usable id. Of a batch response (`results`) the first call is read."""
    top = _table(body)
    results = top.get("results")
    table = _table(results[0]) if "id" not in top and isinstance(results, list) and results else top
    call_id = _identifier(table.get("id"))
    if call_id is None:
        return None
    started_at, ended_at, ended_reason = read_time(table.get("startedAt")), read_time(table.get("endedAt")), _text(table.get("endedReason"))
    caller = _table(table.get("phoneNumber"))
    overrides = _table(table.get("assistantOverrides"))
    longest = _first(_number(overrides.get("maxDurationSeconds")), _number(_table(table.get("assistant")).get("maxDurationSeconds")))
    name = _text(table.get("name"))
    return Call(
        id=call_id,
        status=_status(table.get("status"), ended=bool(ended_at or ended_reason), started=bool(started_at)),
        to=_text(_table(table.get("customer")).get("number")),
        caller_id=_text(caller.get("number")) or _text(caller.get("twilioPhoneNumber")),
        assistant_id=_identifier(table.get("assistantId")),
        phone_number_id=_identifier(table.get("phoneNumberId")),
        name=name,
        tag=_text(_table(overrides.get("metadata")).get(TAG_KEY)) or _tag_in(name),
        inbound=table.get("type") == "inboundPhoneCall",
        max_duration_seconds=None if longest is None else int(longest),
        earliest_at=read_time(_table(table.get("schedulePlan")).get("earliestAt")),
        created_at=read_time(table.get("createdAt")),
        updated_at=read_time(table.get("updatedAt")),
        started_at=started_at,
        ended_at=ended_at,
        ended_reason=ended_reason,
        ended_message=_text(table.get("endedMessage")),
        cost=_first(_number(table.get("cost")), _number(_table(table.get("costBreakdown")).get("total"))),
        costs=_costs(table),
        summary=_text(_table(table.get("analysis")).get("summary")) or _text(table.get("summary")),
        recording_url=_recording_url(table),
        concurrency_blocked=_table(top.get("subscriptionLimits")).get("concurrencyBlocked") is True,
    )


def read_assistant(body: Any) -> Assistant | None:
    """Only what a picker needs: the rest of an assistant may contain credentials and `server.headers`."""
    table = _table(body)
    assistant_id = _identifier(table.get("id"))
    return None if assistant_id is None else Assistant(id=assistant_id, name=_text(table.get("name")))


def read_caller_id(body: Any) -> CallerId | None:
    """Only what a picker needs: the rest of a phone number may contain its carrier's tokens."""
    table = _table(body)
    number_id = _identifier(table.get("id"))
    if number_id is None:
        return None
    return CallerId(
        id=number_id,
        number=_text(table.get("number")),
        name=_text(table.get("name")),
        provider=_text(table.get("provider")),
    )


def read_each(bodies: Iterable[Any], read: Callable[[Any], Entry | None]) -> list[Entry]:
    """The readable entries of a list. Logs the number of unreadable ones."""
    entries = [read(body) for body in bodies]
    readable = [entry for entry in entries if entry is not None]
    if len(readable) < len(entries):
        logger.warning("Vapi: %d of %d entries skipped: no usable id", len(entries) - len(readable), len(entries))
    return readable


def read_time(value: Any) -> datetime | None:
    """UTC, from an ISO 8601 string (UTC if it has no offset) or milliseconds since 1970."""
    try:
        if isinstance(value, str):
            time = datetime.fromisoformat(value)
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
        milliseconds = _number(value)
        return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


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
    listed = table.get("costs")
    parts = [(_table(item).get("type"), _table(item).get("cost")) for item in listed] if isinstance(listed, list) else []
    breakdown = _table(table.get("costBreakdown"))
    parts = parts or [(kind, breakdown.get(kind)) for kind in ("transport", "stt", "llm", "tts", "vapi", "chat")]
    return tuple(
        CostItem(kind=kind, dollars=dollars)
        for kind, dollars in ((_text(kind), _number(dollars)) for kind, dollars in parts)
        if kind is not None and dollars is not None
    )


def _recording_url(table: dict[str, Any]) -> str | None:
    """Vapi's own recording, preferably in stereo. Plain URLs come first, since the presigned ones expire."""
    artifact = _table(table.get("artifact"))
    recording = _table(artifact.get("recording"))
    mono = _table(recording.get("mono"))
    named = ("stereoRecordingUrl", "recordingUrl")
    found = (
        *(recording.get("stereoUrl"), mono.get("combinedUrl")),
        *(source.get(name) for source in (artifact, table) for name in named),
        *(artifact.get(name) for name in ("presignedStereoUrl", "presignedMonoUrl")),
    )
    return next((url for url in found if isinstance(url, str) and re.fullmatch(r"https://[!-\[\]-~]{1,2000}", url)), None)


def _tag_in(name: str | None) -> str | None:
    """Our tag from a name that `CallOrder.label` made."""
    found = re.fullmatch(r"earshot (\S+)", name or "")
    return found[1] if found else None


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    """A string that can be encoded and stored: JavaScript may cut strings between surrogates, and PostgreSQL can't store NUL."""
    if not isinstance(value, str):
        return None
    return value.encode(errors="replace").decode().replace("\0", "").strip() or None


def _identifier(value: Any) -> str | None:
    """A possible id: up to 200 visible ASCII characters without spaces."""
    return value if isinstance(value, str) and re.fullmatch(r"[!-~]{1,200}", value) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)
