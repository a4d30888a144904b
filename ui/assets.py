"""The files that browsers load: where they are, and how they are cached."""

import hashlib
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

ASSETS = Path(__file__).resolve().parent.parent / "assets"
ROUTE = "/assets"
STYLE = "page.css"
"""All of the page's style sheets as one file, since a browser fetches no more than six at once."""

_SHEETS = ("earshot.css", "dialer.css", "frame.css", "safety.css", "replay.css", "call.css")


def versioned(name: str) -> str:
    """The address of an asset, which changes whenever any asset does: modules load each other by the version they came with."""
    return f"{ROUTE}/{name}?v={_version()}"


class AssetFiles(StaticFiles):
    """Serves them. An address with the version in it may be kept for good; any other is asked for anew each time."""

    def __init__(self) -> None:
        super().__init__(directory=ASSETS)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = Response(_style(), media_type="text/css") if path == STYLE else await super().get_response(path, scope)
        current = scope["query_string"] == b"v=" + _version().encode()
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if current else "no-cache"
        return response


@cache
def _style() -> bytes:
    return b"".join((ASSETS / sheet).read_bytes() for sheet in _SHEETS)


@cache
def _version() -> str:
    files = sorted(path for path in ASSETS.iterdir() if path.suffix in (".js", ".css"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
