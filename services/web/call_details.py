"""A call as REST tells it with all that is known after its end, what was said in it, and what it was told."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from services.call import Call
from services.client import Scope
from services.desk import CallDesk
from services.journal import StoredAnswer
from services.timeline import Entry
from services.transcript import Line
from services.web.answers import DETAILS, CallAnswer, call_answer, rfc3339
from services.web.problems import PROBLEMS
from services.web.who import client_of


class CostAnswer(BaseModel):
    kind: str = Field(description="Vapi's name for the part: `transport`, `transcriber`, `model`, `voice`, `vapi`, `analysis`")
    dollars: float


class CallDetails(CallAnswer):
    """One call, with what is known after its end."""

    inbound: bool = Field(description="Whether the customer called; then `from` is their number")
    seconds: float | None = Field(description="How long it was talked, once the call has ended")
    costs: list[CostAnswer]
    summary: str | None
    recordingUrl: str | None = Field(description="Vapi's own recording, once there is one")
    endedFamily: str | None = Field(description="What kind of end it was: what `family` of the list filters by")


class CallsDetails(BaseModel):
    """A page of calls, newest first."""

    calls: list[CallDetails]
    nextCursor: str | None


class LineAnswer(BaseModel):
    """What one side says in one go; a line that is not final may come again under its key with more text."""

    key: int
    speaker: str = Field(description="`customer` or `assistant`")
    text: str
    at: datetime
    final: bool


class TranscriptAnswer(BaseModel):
    lines: list[LineAnswer]


class EntryAnswer(BaseModel):
    """Something that was sent to a call."""

    at: datetime
    action: str
    who: str
    detail: str
    outcome: str = Field(description="`taken` or `refused`")
    words: str = Field(description="Why it was refused")


class TimelineAnswer(BaseModel):
    entries: list[EntryAnswer]


def call_details(desk: CallDesk, call: Call, *, listen_url: str | None, detail: str | None = None) -> dict[str, Any]:
    """`CallDetails` as a plain dict."""
    answer = call_answer(desk, call, listen_url=listen_url, detail=detail)
    if call.inbound:
        answer |= {"from": call.customer, "to": desk.directory.caller_number(call)}
    reason = desk.why_ended(call)
    return answer | {
        "inbound": call.inbound,
        "seconds": call.seconds,
        "costs": [{"kind": item.kind, "dollars": item.dollars} for item in call.costs],
        "summary": call.summary,
        "recordingUrl": call.recording_url,
        "endedFamily": reason.family.value if reason else None,
    }


def stored_details(desk: CallDesk, call: Call) -> StoredAnswer:
    """What a repeated idempotency key is answered: the same as the first time, but for the listen URL, which is made anew."""
    detail = DETAILS.get(call.status)
    return StoredAnswer(status=202 if detail else 201, body=call_details(desk, call, listen_url=None, detail=detail))


def line_answer(line: Line) -> dict[str, Any]:
    """`LineAnswer` as a plain dict, and the body of a `transcript` event."""
    return {"key": line.key, "speaker": line.speaker, "text": line.text, "at": rfc3339(line.at), "final": line.final}


def entry_answer(entry: Entry) -> dict[str, Any]:
    """`EntryAnswer` as a plain dict."""
    return {
        "at": rfc3339(entry.at),
        "action": entry.action,
        "who": entry.who,
        "detail": entry.detail,
        "outcome": entry.outcome,
        "words": entry.words,
    }


def details_router(desk: CallDesk) -> APIRouter:
    """`GET /api/calls/{call_id}/transcript` and `/timeline`."""
    router = APIRouter(responses=PROBLEMS)

    @router.get("/api/calls/{call_id}/transcript", response_model=TranscriptAnswer, summary="What was said in a call")
    async def transcript(request: Request, call_id: str) -> JSONResponse:
        """The lines so far, oldest first; live as far as somebody listens or Vapi's webhooks come, whole some time after the end."""
        client_of(request, Scope.READ)
        return JSONResponse({"lines": [line_answer(line) for line in await desk.transcript(call_id)]})

    @router.get("/api/calls/{call_id}/timeline", response_model=TimelineAnswer, summary="What a call was told")
    async def timeline(request: Request, call_id: str) -> JSONResponse:
        """What was sent to the call, oldest first; `detail` and `words` are forgotten when Earshot is started anew."""
        client_of(request, Scope.READ)
        call = await desk.read(call_id)
        return JSONResponse({"entries": [entry_answer(entry) for entry in await desk.timeline(call.id)]})

    return router
