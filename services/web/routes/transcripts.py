"""The transcript of a call, and the actions that were sent to it."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from services.desk.calls.timeline import Entry
from services.desk.desk import CallDesk
from services.domain.client import Scope
from services.domain.speech import Kind
from services.domain.transcript import Line
from services.support.rfc3339 import rfc3339
from services.web.access.current_client import client_of
from services.web.problems import PROBLEMS


class LineAnswer(BaseModel):
    """One speaker's words until a pause, or what happened in between. A line that is not final may come again under its key, longer."""

    key: int
    kind: Kind = Field(description="`speech`, or what happened: `tool`, `assistant` or `node` took over, `interruption` by the customer")
    speaker: str = Field(description="`customer` or `assistant`")
    name: str = Field(description="The assistant's own name in a squad, or the tool's or node's; else empty")
    text: str = Field(description="The words; of a tool its arguments as JSON")
    result: str | None = Field(description="What a tool returned, once it has")
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


def line_answer(line: Line) -> dict[str, Any]:
    """`LineAnswer` as a plain dict, and the body of a `transcript` event."""
    return {
        "key": line.key,
        "speaker": line.speaker,
        "text": line.text,
        "at": rfc3339(line.at),
        "final": line.final,
        "kind": line.kind.value,
        "name": line.name,
        "result": line.result,
    }


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


def transcript_router(desk: CallDesk) -> APIRouter:
    """`GET /api/calls/{call_id}/transcript` and `/timeline`."""
    router = APIRouter(responses=PROBLEMS)

    @router.get("/api/calls/{call_id}/transcript", response_model=TranscriptAnswer, summary="What was said in a call")
    async def transcript(request: Request, call_id: str) -> JSONResponse:
        """The lines so far, oldest first; live as far as somebody listens or Vapi's webhooks come, whole some time after the end."""
        lines = await desk.transcript(call_id, client_of(request, Scope.READ))
        return JSONResponse({"lines": [line_answer(line) for line in lines]})

    @router.get("/api/calls/{call_id}/timeline", response_model=TimelineAnswer, summary="The actions sent to a call")
    async def timeline(request: Request, call_id: str) -> JSONResponse:
        """What was sent to the call, oldest first."""
        call = await desk.read(call_id, client_of(request, Scope.READ))
        return JSONResponse({"entries": [entry_answer(entry) for entry in await desk.timeline(call.id)]})

    return router
