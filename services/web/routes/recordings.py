"""The routes of recordings, for the API and for the page's replay."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from services.domain.client import Client, Scope
from services.domain.errors import EarshotError
from services.recording.problems import PROBLEMS as WHAT_IS_WRONG
from services.recording.recordings import Recordings
from services.recording.store import StoredSound
from services.web.access.current_client import client_of
from services.web.byte_range import asked_range, not_satisfiable
from services.web.problems import PROBLEMS, allow_only, problem_of
from services.web.routes.clips import ClipAnswers, From, To
from services.web.stored_sound import stored_answer

_SOUND: dict[int | str, dict[str, Any]] = {
    200: {"content": {"audio/flac": {}}, "description": "FLAC as long as the call, customer left and assistant right, silence in gaps"},
    206: {"content": {"audio/flac": {}}, "description": "The part of it that `Range` asked for"},
    **PROBLEMS,
}
_CLIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"audio/flac": {}, "audio/wav": {}, "application/json": {}}, "description": "As `format` says"},
    **PROBLEMS,
}
Part = Annotated[int, Query(ge=1, le=10_000, description="A stream that changed its format, or was recorded twice, has more than one")]
What = Literal["peaks", "transcript", "recording"]


class RecordRequest(BaseModel):
    """`{"on": true}`."""

    model_config = ConfigDict(extra="forbid")

    on: StrictBool = Field(description="Recording a call may need the consent of everyone on it, in some places by law")
    agreed: StrictBool = Field(default=False, description="Everybody on the call agreed; needed where the owner's rules ask for it")


class RecordAnswer(BaseModel):
    """The state of a call's recording."""

    id: str
    on: bool = Field(description="Whether the call is being recorded now")
    problem: str | None = Field(description=f"What is wrong with it: {', '.join(WHAT_IS_WRONG)}")
    detail: str | None = Field(description="The same in plain words")


class Recording(BaseModel):
    """recording.json, transcript.json or peaks.json; times are seconds from the recording's first sound."""

    model_config = ConfigDict(extra="allow")

    callId: str
    startedAt: str
    seconds: float


def recording_router(recordings: Recordings, clips: ClipAnswers) -> APIRouter:
    """`/api/calls/{id}/recording`: GET, POST, DELETE, and GET of `/clip`, `/info`, `/peaks` and `/transcript`.

    While it is being written there is nothing to fetch yet: 409 `recording_in_progress`.
    """
    router = APIRouter(responses=PROBLEMS)
    base = "/api/calls/{call_id}/recording"

    @router.get(base, response_class=FileResponse, responses=_SOUND, summary="The recording made here")
    async def sound(request: Request, call_id: str, part: Part = 1) -> Response:
        """FLAC, also in ranges. Beside the recording's bit-exact pieces, silence stands for sound that never came."""
        client = client_of(request, Scope.LISTEN)
        return await _sound(recordings, request, call_id, part, client, action="download-recording")

    @router.post(base, response_model=RecordAnswer, summary="Record a running call, or stop recording it")
    async def record(request: Request, call_id: str, body: RecordRequest) -> JSONResponse:
        """From now on; what was recorded before stays. A call may be recorded from before it is answered."""
        client = client_of(request, Scope.CONTROL)
        if body.on:
            await recordings.start(call_id, client, agreed=body.agreed)
        else:
            await recordings.stop(call_id, client)
        code = recordings.problem(call_id)
        detail = WHAT_IS_WRONG[code] if code else None
        return JSONResponse({"id": call_id, "on": recordings.recording(call_id), "problem": code, "detail": detail})

    @router.delete(base, status_code=204, summary="Delete the recording for good")
    async def delete(request: Request, call_id: str) -> Response:
        """Deletes sound and transcript. A recording in progress has to be stopped first."""
        await recordings.delete(call_id, client_of(request, Scope.MANAGE))
        return Response(status_code=204)

    @router.get(f"{base}/clip", response_class=Response, responses=_CLIP, summary="A clip of the recording, with its lines")
    async def clip(
        request: Request,
        call_id: str,
        start: From = 0.0,
        to: To = None,
        format: Annotated[Literal["flac", "wav", "json"], Query(description="`json`: the lines alone")] = "flac",
    ) -> Response:
        """The sound as FLAC or WAV, for those who may read with the lines that were said in it as the file's comment; or these lines as
        JSON, with times from the clip's beginning.
        """
        return await clips.answer(request, call_id, start, to, format)

    def add(path: str, what: What, summary: str) -> None:
        @router.get(f"{base}/{path}", response_model=Recording, summary=summary, name=path)
        async def text(request: Request, call_id: str) -> Response:
            client_of(request, Scope.READ)
            return Response(await recordings.text(call_id, what), media_type="application/json")

    add("info", "recording", "What the recording is made of: parts, pieces, gaps")
    add("peaks", "peaks", "Its waveform: for each part, lanes of peaks from 0 to 255")
    add("transcript", "transcript", "What was said in it, and when")
    allow_only(router, base, "GET", "POST", "DELETE")
    return router


def replay_router(recordings: Recordings, clips: ClipAnswers) -> APIRouter:
    """`/recordings/{id}/...`: the same for the page, with the page's own authentication."""
    router = APIRouter(route_class=ProblemRoute, include_in_schema=False)

    @router.get("/recordings/{call_id}/clip.{form}")
    async def clip(request: Request, call_id: str, form: Literal["flac", "wav"], start: From = 0.0, to: To = None) -> Response:
        return await clips.answer(request, call_id, start, to, form)

    @router.get("/recordings/{call_id}/{part}.flac")
    async def sound(request: Request, call_id: str, part: Annotated[int, Path(ge=1)], download: bool = False) -> Response:
        action = "download-recording" if download else "replay-recording"
        return await _sound(recordings, request, call_id, part, client_of(request, Scope.LISTEN), action=action)

    @router.get("/recordings/{call_id}/{what}.json")
    async def text(request: Request, call_id: str, what: What) -> Response:
        client_of(request, Scope.READ)
        return Response(await recordings.text(call_id, what), media_type="application/json", headers={"Cache-Control": "no-store"})

    return router


async def _sound(recordings: Recordings, request: Request, call_id: str, number: int, client: Client, *, action: str) -> Response:
    asked = asked_range(request.headers)
    sound = await recordings.part(call_id, number, client, action=action, begins=asked is None or asked.first == 0)
    name = f"call-{call_id}{'' if number == 1 else f'-{number}'}.flac"
    disposition = "attachment" if action.startswith("download") else "inline"
    size = sound.size if isinstance(sound, StoredSound) else (await asyncio.to_thread(sound.stat)).st_size
    if asked and asked.beyond(size):
        return not_satisfiable(size)
    headers = {"Cache-Control": "no-cache, private"}
    if isinstance(sound, StoredSound):
        return await stored_answer(sound, asked, request.headers, headers | {"Content-Disposition": f'{disposition}; filename="{name}"'})
    if asked is None:
        # RFC 9110, 14.2: an invalid range is ignored.
        request.scope["headers"] = [(header, value) for header, value in request.scope["headers"] if header != b"range"]
    return FileResponse(sound, media_type="audio/flac", filename=name, content_disposition_type=disposition, headers=headers)


class ProblemRoute(APIRoute):
    """Answers our errors as the API does, although the errors of the pages' app are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await handle(request)
            except EarshotError as error:
                return problem_of(error)

        return handler
