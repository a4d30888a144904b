"""Answers with sound from the store, also in ranges (RFC 9110, 14), as Starlette's FileResponse does with a file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Response
from fastapi.responses import StreamingResponse
from starlette.datastructures import Headers

from services.recording.store import StoredSound

_RANGE = re.compile(r"bytes=(\d{1,15})?-(\d{1,15})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class AskedRange:
    """A valid range: from byte `first` to `last`, or to the end if that is None; if `first` is None, the `last` bytes of the file."""

    first: int | None
    last: int | None

    def beyond(self, size: int) -> bool:
        """True if a file of `size` bytes has none of it."""
        return self.first is not None and self.first >= size

    def within(self, size: int) -> tuple[int, int]:
        """The first byte of a file of `size` bytes, and the one after the last."""
        if self.first is None:
            return max(0, size - (self.last or 0)), size
        return self.first, size if self.last is None else min(size, self.last + 1)


def asked_range(headers: Headers) -> AskedRange | None:
    """The range that a request asks for; None for the whole file, and for an invalid range, which is ignored."""
    found = _RANGE.fullmatch(headers.get("range", "").strip())
    first, last = (int(text) if text else None for text in found.groups()) if found else (None, None)
    if (first is None and not last) or (first is not None and last is not None and last < first):
        return None
    return AskedRange(first, last)


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
