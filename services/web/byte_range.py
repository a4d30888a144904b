"""The ranges of a file that requests ask for (RFC 9110, 14)."""

import re
from dataclasses import dataclass

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers

from services.web.problems import problem

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


def not_satisfiable(size: int) -> JSONResponse:
    """The answer to a range beyond the end of a recording of `size` bytes."""
    return problem(416, "range_not_satisfiable", f"The recording has {size} bytes.", headers={"Content-Range": f"bytes */{size}"})
