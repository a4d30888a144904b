"""Calls as JSON of the REST contract: camelCase, RFC 3339 in UTC, E.164, and none of Vapi's secrets."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.desk.desk import CallDesk
from services.domain.alert import Alert
from services.domain.call import Analysis, Call, CallStatus, CallType, Erasure
from services.domain.rule import RuleKind, RuleSpeaker
from services.support.rfc3339 import rfc3339
from services.support.root_path import address
from services.vapi.ended_reasons import why_ended

DETAILS = {
    CallStatus.UNKNOWN: "Vapi's response was lost, so the call may or may not have been placed. "
    "Earshot is looking for it; do not dial again yet.",
    CallStatus.SCHEDULED: "Vapi will place this call at the requested time.",
}
"""The `detail` of calls that are answered with 202."""


_BLOCKED = {
    "code": "vapi_concurrency",
    "title": "All lines of the Vapi account are in use.",
    "nextStep": "Wait: the call starts as soon as a line is free. End another call, or raise the account's concurrency limit in the Vapi "
    "dashboard.",
}


class EndedReasonAnswer(BaseModel):
    code: str | None
    title: str = Field(description="Why the call ended, in plain words")
    nextStep: str = Field(description="What to do about it; empty if nothing needs to be done")


class LinksAnswer(BaseModel):
    self: str
    events: str
    page: str


class CustomerAnswer(BaseModel):
    """The other end of a call: a number, a SIP address, or neither in a web call."""

    number: str | None = Field(description="E.164")
    sipUri: str | None
    extension: str | None = Field(description="Dialled after the answer")
    name: str | None
    externalId: str | None = Field(description="The id that the request gave the customer")


class BlockedAnswer(BaseModel):
    """Why a queued call does not begin yet."""

    code: str = Field(description="`vapi_concurrency`: all lines of the Vapi account are in use")
    title: str
    nextStep: str


class CostAnswer(BaseModel):
    kind: str = Field(description="Vapi's name for the part: `transport`, `transcriber`, `model`, `voice`, `vapi`, `analysis`")
    dollars: float


class OutputAnswer(BaseModel):
    name: str
    result: Any


class ScorecardAnswer(BaseModel):
    name: str
    score: float | None = Field(description="Points")
    scoreNormalized: float | None = Field(description="From 0 to 100")


class MonitorAnswer(BaseModel):
    id: str = Field(description="Vapi's id of the monitor")
    filterPassed: bool = Field(description="Whether the call passed the monitor's filter")


class AnalysisAnswer(BaseModel):
    """What Vapi found out about an ended call, as far as its assistant is set up for it."""

    success: str | None = Field(description="In the words of the assistant's rubric: `true`, `7`, `Good`")
    structuredData: Any
    structuredOutputs: list[OutputAnswer]
    scorecards: list[ScorecardAnswer]
    monitors: list[MonitorAnswer] = Field(description="Of Vapi's own monitors that are attached to the assistant")
    latencies: dict[str, float] = Field(
        description="Averages in milliseconds as Vapi measured them: `turn`, `transcriber`, `endpointing`, `model`, `voice`, "
        "`fromTransport`, `toTransport`"
    )
    interruptions: dict[str, int | None] = Field(description="`byCustomer` and `byAssistant`, as Vapi counted them")


class TimesAnswer(BaseModel):
    """Response times in seconds, from the end of the other's turn to the start of this side's."""

    median: float | None
    p90: float | None
    count: int


class TimesBySideAnswer(BaseModel):
    customer: TimesAnswer
    assistant: TimesAnswer


class SharesAnswer(BaseModel):
    """From 0 to 1; null as long as nobody has spoken."""

    customer: float | None
    assistant: float | None


class InterruptionsAnswer(BaseModel):
    byCustomer: int
    byAssistant: int


class MeasuresAnswer(BaseModel):
    """How the conversation goes, measured from its sound. Times are seconds of the call's sound since `startedAt`."""

    startedAt: datetime = Field(description="When the first sound came")
    seconds: float = Field(description="How much sound has been measured")
    turnCount: int
    responseTime: TimesBySideAnswer
    interruptions: InterruptionsAnswer
    talkShare: SharesAnswer
    overlapSeconds: float = Field(description="In which both spoke")
    missingSeconds: float = Field(description="Of which the sound was lost; they count for nothing else")
    speaking: list[str] = Field(description="Who speaks now: `customer`, `assistant`, both or neither")
    silentSeconds: float = Field(description="For how long nobody has spoken; 0 while somebody speaks")


class AlertAnswer(BaseModel):
    """One of the owner's rules applied to a call. The rule stands as it was then; it may have been changed or deleted since."""

    rule: str = Field(description="The rule's id")
    kind: RuleKind
    phrase: str = Field(description="Of a `keyword`; else empty")
    speaker: RuleSpeaker = Field(description="Who said the `keyword`, or who interrupted")
    above: float | None = Field(description="Seconds, interruptions or US dollars; null of a `keyword`")
    at: datetime
    amount: float | None = Field(description="What was measured then, in the unit of `above`; null of a `keyword`")
    said: str = Field(description="The line in which the keyword was said first; else empty")


class ErasureAnswer(BaseModel):
    """The deletion of a call's data."""

    askedAt: datetime
    by: str = Field(description="Who asked for it: the token's name, or `page`")
    confirmedAt: datetime | None = Field(description="When Vapi had deleted its part; null while Earshot keeps asking")


class CallDetails(BaseModel):
    """One call, including what is known after its end."""

    model_config = ConfigDict(populate_by_name=True)

    id: str = Field(description="Vapi's call id; begins with `unknown-` until a call whose response was lost is found")
    listenUrl: str | None = Field(description="WebSocket with the live sound; null once the call has ended")
    status: str
    to: str | None
    from_: str | None = Field(alias="from")
    assistantId: str | None
    squadId: str | None = Field(description="Set instead of `assistantId` if a squad speaks")
    createdAt: datetime | None
    startedAt: datetime | None
    endedAt: datetime | None
    endedReason: EndedReasonAnswer | None
    cost: float | None = Field(description="US dollars, once known")
    links: LinksAnswer
    detail: str | None = Field(default=None, description="What to know about this call at the moment")
    type: CallType = Field(description="`web`: a call in a browser or another program, which rings no phone")
    inbound: bool = Field(description="True if the customer called; then `from` is their number")
    customer: CustomerAnswer | None = Field(description="null if nothing is known of the other end")
    blocked: BlockedAnswer | None = Field(description="Set while Vapi holds the call back")
    earliestAt: datetime | None = Field(description="When a scheduled call begins, or from when on if there is a `latestAt`")
    latestAt: datetime | None = Field(description="By when it has to begin")
    seconds: float | None = Field(description="Duration from the answer to the end, once the call has ended")
    costs: list[CostAnswer]
    summary: str | None
    analysis: AnalysisAnswer | None
    recordingUrl: str | None = Field(
        description="Path of the route that serves Vapi's own recording, once there is one; null without the scope `listen`"
    )
    measures: MeasuresAnswer | None = Field(description="null if nothing was measured; the turns are at `/measures`")
    alerts: list[AlertAnswer] = Field(description="The rules that applied, each once, oldest first")
    endedFamily: str | None = Field(description="The kind of end, which the parameter `family` of the list filters by")
    placedBy: str | None = Field(
        description="Who placed it here: the token's name, `page`, or `local` for a program on this machine; null if nobody did"
    )
    byMachine: bool = Field(description="True if an assistant placed it over MCP")
    recordingConsent: str | None = Field(
        description="What the owner's rule on recording meant when it was placed: `agreed`, `announced`, `not-agreed` (it is not recorded, "
        "unless somebody agrees later), `forbidden`; null without a rule"
    )
    erasure: ErasureAnswer | None = Field(
        description="Set once the call's data was deleted: only times, costs and the account's ids are left"
    )


class CallsDetails(BaseModel):
    """A page of calls, newest first."""

    calls: list[CallDetails]
    nextCursor: str | None


class CallReference(BaseModel):
    """The id of a call, for clients that may not read calls."""

    model_config = ConfigDict(extra="forbid")

    id: str


def recording_path(call: Call) -> str | None:
    """Where Earshot serves Vapi's own recording, once there is one. Vapi's address of it can't be opened without the private key."""
    return address(f"/api/calls/{call.id}/vapi-recording") if call.recording_url else None


def call_details(desk: CallDesk, call: Call, *, listen_url: str | None, may_listen: bool, detail: str | None = None) -> dict[str, Any]:
    """`CallDetails` as a plain dict; written by hand since it is on the path of every request.

    `may_listen`: whether the client may hear calls, and so have the URL of Vapi's recording.
    """
    reason = why_ended(call)
    caller, called = desk.directory.parties(call)
    path = f"/api/calls/{call.id}"
    answer: dict[str, Any] = {
        "id": call.id,
        "listenUrl": listen_url,
        "status": call.status.value,
        "to": called,
        "from": caller,
        "assistantId": call.assistant_id,
        "squadId": call.squad_id,
        "createdAt": rfc3339(call.created_at),
        "startedAt": rfc3339(call.started_at),
        "endedAt": rfc3339(call.ended_at),
        "endedReason": {"code": reason.code, "title": reason.title, "nextStep": reason.next_step} if reason else None,
        "cost": call.cost if call.cost or not call.running else None,
        "links": {"self": address(path), "events": address(f"{path}/events"), "page": address(f"/?call={call.id}")},
        "type": call.type.value,
        "inbound": call.inbound,
        "customer": _customer(call),
        "blocked": _BLOCKED if call.blocked else None,
        "earliestAt": rfc3339(call.earliest_at),
        "latestAt": rfc3339(call.latest_at),
        "seconds": call.seconds,
        "costs": [{"kind": item.kind, "dollars": item.dollars} for item in call.costs],
        "summary": call.summary,
        "analysis": _analysis(call.analysis) if call.analysis else None,
        "recordingUrl": recording_path(call) if may_listen else None,
        "measures": None if call.erasure else desk.measurements.brief(call.id),
        "alerts": [alert_answer(alert) for alert in desk.alerts.of(call.id)],
        "endedFamily": reason.family.value if reason else None,
        "placedBy": call.placed_by,
        "byMachine": call.by_machine,
        "recordingConsent": call.consent.value if call.consent else None,
        "erasure": _erasure(call.erasure) if call.erasure else None,
    }
    if detail:
        answer["detail"] = detail
    return answer


def alert_answer(alert: Alert) -> dict[str, Any]:
    """`AlertAnswer` as a plain dict."""
    rule = alert.rule
    return {
        "rule": rule.id,
        "kind": rule.kind.value,
        "phrase": rule.phrase,
        "speaker": rule.speaker.value,
        "above": None if rule.kind is RuleKind.KEYWORD else rule.above,
        "at": rfc3339(alert.at),
        "amount": alert.amount,
        "said": alert.said,
    }


def _customer(call: Call) -> dict[str, str | None] | None:
    if not (call.to or call.sip_uri or call.customer_name):
        return None
    return {
        "number": call.to,
        "sipUri": call.sip_uri,
        "extension": call.extension,
        "name": call.customer_name,
        "externalId": call.external_id,
    }


def _erasure(erasure: Erasure) -> dict[str, str | None]:
    return {"askedAt": rfc3339(erasure.asked_at), "by": erasure.by, "confirmedAt": rfc3339(erasure.confirmed_at)}


def _analysis(found: Analysis) -> dict[str, Any]:
    return {
        "success": found.success,
        "structuredData": found.data,
        "structuredOutputs": [{"name": output.name, "result": output.result} for output in found.outputs],
        "scorecards": [{"name": card.name, "score": card.score, "scoreNormalized": card.normalized} for card in found.scorecards],
        "monitors": [{"id": monitor.id, "filterPassed": monitor.passed} for monitor in found.monitors],
        "latencies": found.latencies,
        "interruptions": {"byCustomer": found.customer_interrupted, "byAssistant": found.assistant_interrupted},
    }
