"""The files that browsers load: where they are, how small they are sent, and how they are cached."""

import gzip
import hashlib
from functools import cache
from pathlib import Path

from rjsmin import jsmin
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

ASSETS = Path(__file__).resolve().parent.parent / "assets"
ROUTE = "/assets"
STYLE = "page.css"
"""All of the page's style sheets as one file, since a browser fetches no more than six at once."""

_SHEETS = [
    *["tokens", "ground", "header", "columns", "controls", "stage", "sound", "outcome", "list", "narrow"],
    *["dialer", "frame", "call", "calls", "transcript", "steering", "recorded", "timeline", "player", "replay", "safety"],
]
"""In this order, for of two rules that weigh the same the later one wins."""


def versioned(name: str) -> str:
    """The address of an asset, which changes whenever any asset does: modules load each other by the version they came with."""
    return f"{ROUTE}/{name}?v={_version()}"


class AssetFiles(StaticFiles):
    """Serves them, modules without their comments. An address with the version in it may be kept for good; any other is asked for anew."""

    def __init__(self) -> None:
        super().__init__(directory=ASSETS)

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path in (STYLE, *_texts()) and scope["method"] == "GET" and "gzip" in Headers(scope=scope).get("accept-encoding", ""):
            response = _packed(path)
        elif path == STYLE:
            response = Response(_text(path), media_type="text/css")
        else:
            response = await super().get_response(path, scope)
        current = scope["query_string"] == b"v=" + _version().encode()
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if current else "no-cache"
        return response


def _packed(name: str) -> Response:
    sent, kind = _pack(name)
    return Response(sent, media_type=kind, headers={"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})


@cache
def _pack(name: str) -> tuple[bytes, str]:
    """What is sent of a module or style sheet, and its media type. Files don't change while the process runs."""
    text = _text(name)
    script = name.endswith(".js")
    packed = gzip.compress((jsmin(text) if script else text).encode(), compresslevel=9, mtime=0)
    return packed, "text/javascript" if script else "text/css"


def _text(name: str) -> str:
    parts = [f"{sheet}.css" for sheet in _SHEETS] if name == STYLE else [name]
    return "".join((ASSETS / part).read_text(encoding="utf-8") for part in parts)


@cache
def _version() -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in _texts().values())).hexdigest()[:12]


@cache
def _texts() -> dict[str, Path]:
    return {path.name: path for path in sorted(ASSETS.iterdir()) if path.suffix in (".js", ".css")}
