"""Answers with sound from the store, also in ranges (RFC 9110, 14), as Starlette's FileResponse does with a file."""

from collections.abc import Mapping

from fastapi import Response
from fastapi.responses import StreamingResponse
from starlette.datastructures import Headers

from services.recording.store import StoredSound
from services.web.byte_range import AskedRange


async def stored_answer(sound: StoredSound, asked: AskedRange | None, headers: Headers, more: Mapping[str, str]) -> Response:
    """200 or 206 with the sound. Raises StoreError if the store does not answer; one that fails later ends the connection."""
    if_range = headers.get("if-range")
    if asked is None or (if_range is not None and if_range != sound.e_tag):
        status, (start, stop) = 200, (0, sound.size)
    else:
        status, (start, stop) = 206, asked.within(sound.size)
    answer = {"Accept-Ranges": "bytes", "ETag": sound.e_tag, "Content-Length": str(stop - start), **more}
    if status == 206:
        answer["Content-Range"] = f"bytes {start}-{stop - 1}/{sound.size}"
    return StreamingResponse(await sound.opened(start, stop), status, headers=answer, media_type="audio/flac")
