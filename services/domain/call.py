"""A phone call as Earshot knows it, and the order of its states. Pure: no I/O, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.domain.consent import Consent
from services.domain.phone_number import PhoneNumber
from services.domain.sip_uri import is_sip
from services.domain.voicemail import Voicemail


class CallStatus(StrEnum):
    """Vapi's own words (OpenAPI `Call.status`), and `UNKNOWN`: dialled, but Vapi's answer was lost."""

    UNKNOWN = "unknown"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    FORWARDING = "forwarding"
    ENDED = "ended"

    @property
    def order(self) -> int:
        """The position of this state in a call's life. A call never returns to a smaller one."""
        return _ORDER[self]


SHORTEST_CALL_SECONDS = 10
LONGEST_CALL_SECONDS = 43_200
"""Vapi's limits of a call's maximum duration (OpenAPI `maxDurationSeconds`)."""

NEVER_FOUND = "earshot-never-found"
"""Our own `ended_reason`: the call's outcome stayed unknown for longer than the call could have lasted."""
GONE = "earshot-gone"
"""Our own `ended_reason`: Vapi no longer knows the call, and it must be over by now or had not begun."""
TOO_OLD = "earshot-too-old"
"""Our own `ended_reason`: nobody saw the call end, but no call can last as long as this one would have."""
CANCELLED = "earshot-cancelled"
"""Our own `ended_reason`: a scheduled call that was cancelled here before it began."""

OWN_REASONS = frozenset({NEVER_FOUND, GONE, TOO_OLD, CANCELLED})
"""Reasons that no read gave. Vapi adds neither cost nor summary to such a call."""

_ORDER = {status: place for place, status in enumerate(CallStatus)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOrder:
    """One call to one number or SIP address, to be placed by Vapi. `region` is the number's ISO 3166 code.

    `to` says whose phone rings, and no two calls to the same may be placed at once: the number, also of a SIP address that holds one, else
    the SIP address without port and transport. `sip_uri` is the address that Vapi is asked for.
    Who speaks is one of: the assistant `assistant_id` in its latest or another version, the squad `squad_id`, or `assistant`, written by
    the request in Vapi's terms. `assistant_id` is empty in the latter two.
    `voicemail` is None where the assistant's own setting counts. `external_id` is the customer's, in another system.
    It begins between `earliest_at` and `latest_at`, both None for now.
    `tag` is our own unique id. It finds the call if Vapi's answer is lost.
    `placed_by` is the client's name, set when the dial begins; `by_machine` is true if that is an assistant over MCP.
    `recording_agreed` says whether recording the call was agreed, if somebody was asked. `consent` and `opening` are set once the order is
    being placed: what the rule on recording means for it (None: there is none), and what the assistant says first because of it.
    `artifacts` are the parts of the assistant's artifact plan that stay as they are if Vapi may not record.
    """

    to: str
    assistant_id: str
    phone_number_id: str
    tag: str
    region: str | None = None
    sip_uri: str | None = None
    squad_id: str | None = None
    assistant_version: str | None = None
    assistant: Mapping[str, Any] | None = None
    name: str | None = None
    customer_name: str | None = None
    external_id: str | None = None
    first_message: str | None = None
    variable_values: Mapping[str, Any] = field(default_factory=dict)
    voicemail: Voicemail | None = None
    voicemail_message: str | None = None
    max_duration_seconds: int | None = None
    earliest_at: datetime | None = None
    latest_at: datetime | None = None
    placed_by: str | None = None
    by_machine: bool = False
    recording_agreed: bool | None = None
    consent: Consent | None = None
    opening: str | None = None
    artifacts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> PhoneNumber | None:
        """The number that rings; None for a SIP address without one."""
        return None if is_sip(self.to) else PhoneNumber(e164=self.to, region=self.region)

    @property
    def own_opening(self) -> str | None:
        """What the order has the assistant say first. None: what it says by its settings at Vapi, or nothing if the customer begins."""
        if self.first_message is not None or self.assistant is None:
            return self.first_message
        text = self.assistant.get("firstMessage")
        speaks = self.assistant.get("firstMessageMode", "assistant-speaks-first") == "assistant-speaks-first"
        return text if speaks and isinstance(text, str) else None

    @property
    def label(self) -> str:
        """The `name` that Vapi keeps with the call (at most 40 characters): the caller's own, else our tag."""
        return self.name or f"earshot {self.tag}"


class CallType(StrEnum):
    """Who called whom. A web call rings no phone: the customer speaks in a browser or through another program."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"
    WEB = "web"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostItem:
    """A part of a call's price in US dollars, under Vapi's name for it (`transport`, `voice`, ...)."""

    kind: str
    dollars: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A structured output that was extracted from a call. `result` is any JSON."""

    name: str
    result: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """The points that a call got on one of Vapi's scorecards; `normalized` is from 0 to 100."""

    name: str
    score: float | None = None
    normalized: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorFinding:
    """Whether a call passed the filter of one of Vapi's own monitors, which Vapi names by its id alone."""

    id: str
    passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What Vapi found out about an ended call.

    `success` is the evaluation in the words of the assistant's rubric ("true", "7", "Good"), `data` its structured data, any JSON.
    `latencies` are averages in milliseconds as Vapi measured them: of whole turns, and by part. The counts say how often the customer
    interrupted the assistant, and the assistant the customer.
    """

    success: str | None = None
    data: Any = None
    outputs: tuple[Output, ...] = ()
    scorecards: tuple[Scorecard, ...] = ()
    monitors: tuple[MonitorFinding, ...] = ()
    latencies: Mapping[str, float] = field(default_factory=dict)
    customer_interrupted: int | None = None
    assistant_interrupted: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """The deletion of a call's data, here and at Vapi: when it was asked for, by whom, and when Vapi confirmed it (None: not yet)."""

    asked_at: datetime
    by: str
    confirmed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call as last read. Times are UTC, `cost` is in US dollars. Never holds a key or a listen or control URL.

    `earliest_at` is when a scheduled call begins, or from when on if it has a `latest_at`. `max_duration_seconds` counts from the answer.
    `to` is the customer's number: the called number, or the caller's if the call is inbound; a customer at a SIP address has `sip_uri`
    instead. `external_id` is the customer's, in another system. `extension` is dialled after the answer. `squad_id` is set instead of
    `assistant_id` if a squad speaks. `recording_url` is the https address that Vapi names for its own recording, once there
    is one. It is private or expires; the gateway's `recording` opens it. `logged` and `captured`: Vapi has a log and a packet capture.
    `placed_by` is the client that placed it here, None if nobody did; `by_machine`: an assistant, over MCP. `consent` is that of the order.
    With an `erasure`, only what `erased` leaves is known.
    """

    id: str
    status: CallStatus
    to: str | None = None
    sip_uri: str | None = None
    extension: str | None = None
    customer_name: str | None = None
    external_id: str | None = None
    caller_id: str | None = None
    assistant_id: str | None = None
    squad_id: str | None = None
    phone_number_id: str | None = None
    name: str | None = None
    tag: str | None = None
    inbound: bool = False
    web: bool = False
    max_duration_seconds: int | None = None
    earliest_at: datetime | None = None
    latest_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    ringing_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    ended_reason: str | None = None
    ended_message: str | None = None
    cost: float | None = None
    costs: tuple[CostItem, ...] = ()
    summary: str | None = None
    analysis: Analysis | None = None
    recording_url: str | None = None
    logged: bool = False
    captured: bool = False
    concurrency_blocked: bool = False
    placed_by: str | None = None
    by_machine: bool = False
    consent: Consent | None = None
    erasure: Erasure | None = None

    @property
    def running(self) -> bool:
        """True unless the call has ended: it may still ring, talk or cost money."""
        return self.status is not CallStatus.ENDED

    @property
    def type(self) -> CallType:
        if self.web:
            return CallType.WEB
        return CallType.INBOUND if self.inbound else CallType.OUTBOUND

    @property
    def blocked(self) -> bool:
        """True while Vapi holds the call back because all lines of the account are in use."""
        return self.concurrency_blocked and self.status is CallStatus.QUEUED

    @property
    def due_at(self) -> datetime | None:
        """When it begins, or began, to dial."""
        return max(filter(None, (self.created_at, self.earliest_at)), default=None)

    @property
    def due_by(self) -> datetime | None:
        """By when it begins, or began, to dial."""
        return max(filter(None, (self.due_at, self.latest_at)), default=None)

    @property
    def answered(self) -> bool:
        return self.started_at is not None or self.status in (CallStatus.IN_PROGRESS, CallStatus.FORWARDING)

    @property
    def seconds(self) -> float | None:
        """Seconds from the answer to the end; None if the call was not answered or has not ended."""
        if self.started_at is None or self.ended_at is None:
            return None
        return max(0.0, (self.ended_at - self.started_at).total_seconds())


_KEEP_NEWER = {item.name for item in fields(Call)} - {"id", "status", "ringing_at"}


def merge(known: Call, seen: Call, *, now: datetime) -> Call:
    """Combines what was known of a call with what was read at `now`.

    The state only moves forward, and `ENDED` is final. A known value is kept if a later answer omits it. A call that was cancelled here
    stays so, whatever Vapi calls that.
    """
    changes: dict[str, Any] = {}
    for name in _KEEP_NEWER:
        value = getattr(seen, name)
        if value is not None and value is not False and value != ():
            changes[name] = value
    if known.ended_reason == CANCELLED:
        changes["ended_reason"] = CANCELLED
    changes["status"] = max(known.status, seen.status, key=lambda status: status.order)
    if changes["status"] is CallStatus.RINGING and known.ringing_at is None:
        changes["ringing_at"] = seen.ringing_at or now
    changes["erasure"] = _later(known.erasure, seen.erasure)
    merged = replace(known, **changes)
    return erased(merged, merged.erasure) if merged.erasure else merged


_LEFT = {
    *("id", "status", "tag", "inbound", "web", "assistant_id", "squad_id", "phone_number_id", "caller_id", "max_duration_seconds"),
    *("earliest_at", "latest_at", "created_at", "updated_at", "ringing_at", "started_at", "ended_at", "ended_reason", "cost", "costs"),
    *("placed_by", "by_machine", "consent"),
}
"""What is left of an erased call: times, costs, and ids of the account. Nothing that says who was called or what was said."""


def erased(call: Call, erasure: Erasure) -> Call:
    """The call without the data that an erasure deletes."""
    return Call(**{name: getattr(call, name) for name in _LEFT}, erasure=erasure)


def _later(one: Erasure | None, other: Erasure | None) -> Erasure | None:
    """The erasure that is known to be further."""
    return other if one is None or (other is not None and other.confirmed_at is not None) else one


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenTarget:
    """Where to fetch a call's live sound. A bearer secret that must reach no browser and no log, so its repr is empty."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assistant:
    """An assistant that can speak in a call, with what a picker shows. `variables` are the names that its texts ask for.

    `opening` is its first message, if it speaks first and with a fixed text. `language` is the one that it understands (`de`, `en-US`).
    `artifacts` are those parts of its artifact plan that an order repeats when it replaces the plan.
    """

    id: str
    name: str | None = None
    variables: tuple[str, ...] = ()
    opening: str | None = None
    language: str | None = None
    artifacts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Squad:
    """Assistants that speak in a call one after another. `members` are the ids of those that are the account's own.

    `variables` are those of the members that only the squad knows.
    """

    id: str
    name: str | None = None
    members: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerId:
    """A phone number that calls can come from. `number` is E.164, absent for some Vapi and SIP numbers."""

    id: str
    number: str | None = None
    name: str | None = None
    provider: str | None = None
