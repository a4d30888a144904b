"""The routes of Vapi's own recordings, for the API and for the page's replay. Vapi's storage can't be opened by a browser."""

import re
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from services.desk.desk import CallDesk
from services.domain.call import Call
from services.domain.client import Client, Scope
from services.domain.speech import Kind
from services.domain.transcript import Line
from services.recording.vapi_recordings import VapiRecordings
from services.web.access.current_client import client_of
from services.web.byte_range import asked_range, not_satisfiable
from services.web.problems import PROBLEMS
from services.web.routes.recordings import ProblemRoute, Recording

_KINDS: dict[str, Any] = {media_type: {} for media_type in ("audio/wav", "audio/mpeg", "audio/flac", "audio/ogg")}
_SOUND: dict[int | str, dict[str, Any]] = {
    200: {
        "content": _KINDS,
        "description": "The recording as Vapi stores it, with both speakers in channels of their own if Vapi has that",
    },
    206: {"content": _KINDS, "description": "The part of it that `Range` asked for"},
    **PROBLEMS,
}
_ENDINGS = {"audio/wav": "wav", "audio/mpeg": "mp3", "audio/flac": "flac", "audio/ogg": "ogg"}


def vapi_recording_router(recordings: VapiRecordings) -> APIRouter:
    """`GET /api/calls/{id}/vapi-recording` and `/peaks` below it. 409 `recording_not_ready` until Vapi has stored the recording."""
    router = APIRouter(responses=PROBLEMS)
    base = "/api/calls/{call_id}/vapi-recording"

    @router.get(base, response_class=StreamingResponse, responses=_SOUND, summary="Vapi's own recording")
    async def sound(request: Request, call_id: str) -> Response:
        """Fetched from Vapi with the private key, also in ranges."""
        return await _sound(recordings, request, call_id, client_of(request, Scope.LISTEN), action="download-vapi-recording")

    @router.get(f"{base}/peaks", response_model=Recording, summary="Its waveform: lanes of peaks from 0 to 255", name="vapi-peaks")
    async def peaks(request: Request, call_id: str) -> JSONResponse:
        """Answered once the whole recording has been fetched."""
        return JSONResponse(await recordings.peaks(call_id, client_of(request, Scope.LISTEN)))

    return router


def vapi_replay_router(recordings: VapiRecordings, desk: CallDesk) -> APIRouter:
    """`/vapi-recordings/{id}/...`: the same for the page, with the page's own authentication."""
    router = APIRouter(route_class=ProblemRoute, include_in_schema=False)

    @router.get("/vapi-recordings/{call_id}/sound")
    async def sound(request: Request, call_id: str, download: bool = False) -> Response:
        action = "download-vapi-recording" if download else "replay-vapi-recording"
        return await _sound(recordings, request, call_id, client_of(request, Scope.LISTEN), action=action)

    @router.get("/vapi-recordings/{call_id}/peaks.json")
    async def peaks(request: Request, call_id: str) -> JSONResponse:
        found = await recordings.peaks(call_id, client_of(request, Scope.LISTEN))
        return JSONResponse(found, headers={"Cache-Control": "no-store"})

    @router.get("/vapi-recordings/{call_id}/transcript.json")
    async def transcript(request: Request, call_id: str) -> JSONResponse:
        client = client_of(request, Scope.LISTEN)
        call = await desk.read(call_id, client)
        lines = await desk.transcript(call.id, client)
        return JSONResponse({"lines": _lines(call, lines)}, headers={"Cache-Control": "no-store"})

    return router


def _lines(call: Call, lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The transcript with times in seconds from the answer, where Vapi's recording begins."""
    if call.started_at is None:
        return []
    return [
        {"at": max(0.0, round((line.at - call.started_at).total_seconds(), 3)), "speaker": line.speaker, "text": line.text}
        for line in lines
        if line.kind is Kind.SPEECH
    ]


async def _sound(recordings: VapiRecordings, request: Request, call_id: str, client: Client, *, action: str) -> Response:
    asked = asked_range(request.headers)
    copy = await recordings.open(call_id, client, action=action, begins=asked is None or asked.first == 0)
    size = copy.size if copy.size is not None else await copy.complete()
    ending = _ENDINGS[copy.media_type]
    kind = "attachment" if action.startswith("download") else "inline"
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-cache, private",
        "Content-Disposition": f'{kind}; filename="call-{re.sub("[^A-Za-z0-9_-]", "", call_id)[:64]}-vapi.{ending}"',
        "X-Content-Type-Options": "nosniff",
    }
    if asked and asked.beyond(size):
        return not_satisfiable(size)
    start, end = asked.within(size) if asked else (0, size)
    headers["Content-Length"] = str(end - start)
    if asked:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return StreamingResponse(copy.read(start, end), 206 if asked else 200, headers=headers, media_type=copy.media_type)
