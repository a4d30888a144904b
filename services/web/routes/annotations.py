"""The routes of notes, tags and dispositions."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictStr

from services.desk.desk import CallDesk
from services.domain.annotation import LONGEST_LABEL, LONGEST_MOMENT_S, LONGEST_NOTE, Annotations, Label, Note
from services.domain.call import Call
from services.domain.client import Client, Scope
from services.domain.errors import CallNotFound
from services.support.rfc3339 import rfc3339
from services.support.root_path import address
from services.web.access.current_client import client_of, may
from services.web.answers import CallReference
from services.web.problems import PROBLEMS, allow_only
from services.web.requests import PLAIN

Moment = Annotated[float, Field(strict=True, ge=0, le=LONGEST_MOMENT_S, allow_inf_nan=False)]


class NoteRequest(BaseModel):
    """`{"text": "Asks for the price", "t": 83.5}`."""

    model_config = ConfigDict(extra="forbid")

    text: StrictStr = Field(min_length=1, max_length=LONGEST_NOTE)
    t: Moment | None = Field(default=None, description="The moment that it is about, in seconds of the call's recording")


class TagRequest(BaseModel):
    """`{"tag": "pricing"}`."""

    model_config = ConfigDict(extra="forbid")

    tag: StrictStr = Field(min_length=1, max_length=LONGEST_LABEL)


class DispositionRequest(BaseModel):
    """`{"disposition": "sold"}`, or `null` for none."""

    model_config = ConfigDict(extra="forbid")

    disposition: StrictStr | None = Field(max_length=LONGEST_LABEL, description="One of EARSHOT_DISPOSITIONS")


class NoteAnswer(BaseModel):
    id: int
    at: datetime
    by: str = Field(description="Who wrote it, as in the audit")
    text: str
    t: float | None = Field(description="The moment that it is about, in seconds of the call's recording")
    page: str = Field(description="Where the page shows the call, at this moment")


class LabelAnswer(BaseModel):
    text: str
    by: str
    at: datetime


class AnnotationsAnswer(BaseModel):
    """What people wrote about a call."""

    notes: list[NoteAnswer]
    tags: list[LabelAnswer]
    disposition: LabelAnswer | None
    dispositions: list[str] = Field(description="Those to choose from")


_DONE: dict[int | str, dict[str, Any]] = {
    200: {"model": AnnotationsAnswer | CallReference, "description": "What the call has now; only its id without the scope `read`"}
}


def annotations_router(desk: CallDesk) -> APIRouter:
    """`/api/calls/{call_id}/notes`, `/tags` and `/disposition`."""
    return _AnnotationRoutes(desk).router()


class _AnnotationRoutes:
    def __init__(self, desk: CallDesk) -> None:
        self._desk = desk
        self._annotations = desk.annotations

    def router(self) -> APIRouter:
        router = APIRouter(responses=PROBLEMS)
        base = "/api/calls/{call_id}"
        written: dict[int | str, dict[str, Any]] = {201: {"model": NoteAnswer, "description": "The note"}}
        add = router.add_api_route
        add(f"{base}/notes", self.read, response_model=AnnotationsAnswer, summary="Notes, tags and disposition of a call")
        add(f"{base}/notes", self.add_note, methods=["POST"], status_code=201, responses=written, summary="Write a note")
        add(f"{base}/notes/{{note_id}}", self.delete_note, methods=["DELETE"], status_code=204, summary="Delete a note")
        add(f"{base}/tags", self.add_tag, methods=["POST"], responses=_DONE, summary="Tag a call")
        add(f"{base}/tags", self.remove_tag, methods=["DELETE"], responses=_DONE, summary="Remove a tag")
        add(f"{base}/disposition", self.dispose, methods=["POST"], responses=_DONE, summary="Say what came of a call")
        allow_only(router, f"{base}/notes", "GET", "POST")
        allow_only(router, f"{base}/tags", "POST", "DELETE")
        return router

    async def read(self, request: Request, call_id: str) -> JSONResponse:
        """Who wrote what about the call, and when, oldest first."""
        call = await self._desk.read(call_id, client_of(request, Scope.READ))
        return JSONResponse(await self._all(call))

    async def add_note(self, request: Request, call_id: str, body: NoteRequest) -> JSONResponse:
        """A note on the call, or with `t` on a moment of its recording. It is deleted with the call's data."""
        call, client = await self._found(request, call_id)
        note = await self._annotations.add_note(call, body.text, client, moment_s=body.t)
        return JSONResponse(_note(call, note), 201)

    async def delete_note(self, request: Request, call_id: str, note_id: Annotated[int, Path(ge=1, le=2**53)]) -> Response:
        """For good. The audit says who did."""
        call, client = await self._found(request, call_id)
        if not await self._annotations.delete_note(call, note_id, client):
            raise CallNotFound("This call has no note with this id.")
        return Response(status_code=204)

    async def add_tag(self, request: Request, call_id: str, body: TagRequest) -> JSONResponse:
        """Nothing changes if the call has the tag, in upper or lower case."""
        call, client = await self._found(request, call_id)
        await self._annotations.add_tag(call, body.tag, client)
        return await self._done(request, call)

    async def remove_tag(
        self, request: Request, call_id: str, tag: Annotated[str, Query(max_length=LONGEST_LABEL, pattern=PLAIN)] = ""
    ) -> JSONResponse:
        """Nothing changes if the call does not have it."""
        call, client = await self._found(request, call_id)
        await self._annotations.remove_tag(call, tag, client)
        return await self._done(request, call)

    async def dispose(self, request: Request, call_id: str, body: DispositionRequest) -> JSONResponse:
        """One of the owner's list, EARSHOT_DISPOSITIONS."""
        call, client = await self._found(request, call_id)
        await self._annotations.dispose(call, body.disposition, client)
        return await self._done(request, call)

    async def _found(self, request: Request, call_id: str) -> tuple[Call, Client]:
        client = client_of(request, Scope.CONTROL)
        return await self._desk.read(call_id, client), client

    async def _done(self, request: Request, call: Call) -> JSONResponse:
        return JSONResponse(await self._all(call) if may(request, Scope.READ) else {"id": call.id})

    async def _all(self, call: Call) -> dict[str, Any]:
        found = await self._annotations.of(call)
        return annotations_answer(call, found) | {"dispositions": list(self._annotations.dispositions)}


def annotations_answer(call: Call, found: Annotations) -> dict[str, Any]:
    """`AnnotationsAnswer` as a plain dict, without the dispositions to choose from."""
    return {
        "notes": [_note(call, note) for note in found.notes],
        "tags": [_label(tag) for tag in found.tags],
        "disposition": _label(found.disposition) if found.disposition else None,
    }


def _note(call: Call, note: Note) -> dict[str, Any]:
    moment = "" if note.moment_s is None else f"&t={note.moment_s:g}"
    page = address(f"/?call={quote(call.id, safe='')}{moment}")
    return {"id": note.id, "at": rfc3339(note.at), "by": note.by, "text": note.text, "t": note.moment_s, "page": page}


def _label(label: Label) -> dict[str, Any]:
    return {"text": label.text, "by": label.by, "at": rfc3339(label.at)}
