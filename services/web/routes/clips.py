"""Answers with clips of recordings, to the API and to the page's replay."""

import re
from contextlib import ExitStack
from typing import Annotated, Literal

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from services.domain.client import Scope
from services.recording.clips import LONGEST_S, Clips
from services.recording.recordings import Recordings
from services.web.access.current_client import client_of, may
from services.web.at_once import AtOnce
from services.web.file_answer import EACH, FileAnswer

_UNSAID_S = 60.0  # length of a clip without `to`
_Moment = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
From = Annotated[_Moment, Query(alias="from", description="Seconds from the recording's first sound")]
To = Annotated[_Moment | None, Query(description=f"The same, at most {LONGEST_S:.0f} s later; by default a minute later")]


class ClipAnswers:
    """Both routes share one of these, and with it how many clips are cut at once."""

    def __init__(self, recordings: Recordings) -> None:
        self._clips = Clips(recordings)
        self._files = AtOnce(EACH, "clips")

    async def answer(
        self, request: Request, call_id: str, start_s: float, end_s: float | None, form: Literal["flac", "wav", "json"]
    ) -> Response:
        """The sound, for those who may read with the lines as its comment; or, as `json`, the lines alone."""
        client = client_of(request, Scope.LISTEN)
        end_s = start_s + _UNSAID_S if end_s is None else end_s
        if form == "json":
            client_of(request, Scope.READ)
            return JSONResponse(
                {"callId": call_id, "from": start_s, "to": end_s, "lines": await self._clips.lines(call_id, start_s, end_s)}
            )
        name = f"call-{re.sub('[^A-Za-z0-9_-]', '', call_id)[:64]}-{start_s:g}-{end_s:g}.{form}"
        with ExitStack() as held:
            held.enter_context(self._files.one(client))
            found = await self._clips.cut(call_id, start_s, end_s, form, client, commented=may(request, Scope.READ))
            held.enter_context(found.file)
            headers = {
                "Content-Disposition": f'attachment; filename="{name}"',
                "Content-Length": str(found.size),
                "Cache-Control": "no-cache, private",
            }
            return FileAnswer(found.file, headers, held.pop_all(), media_type=f"audio/{form}")
