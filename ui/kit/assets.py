"""The files that browsers load: where they are, how small they are sent, and how they are cached."""

import gzip
import hashlib
import re
from functools import cache
from pathlib import Path

from rjsmin import jsmin
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

ASSETS = Path(__file__).resolve().parent.parent.parent / "assets"
ROUTE = "/assets"
STYLE = "page.css"
"""All of the page's style sheets as one file, since a browser fetches no more than six at once."""
WORKLET = "playout_worklet.js"

_SHEETS = [
    *["tokens", "ground", "header", "columns", "controls", "stage", "sound", "outcome", "list", "narrow"],
    *["dialer", "frame", "call", "calls", "transcript", "steering", "recorded", "timeline", "player", "replay", "safety"],
]
"""In this order, for of two rules that weigh the same the later one wins."""
_WORKLETS = [
    *["resampler", "stretch", "stream_format", "jitter_buffer", "depth", "arrivals", "mixer"],
    *["playhead", "pace", "counters", "playout"],
]
"""What the audio worklet imports, each after those that it imports: fetched one by one they would hold up the first sound."""
_MADE_OF = {STYLE: [f"styles/{sheet}.css" for sheet in _SHEETS], WORKLET: [*(f"playout/{module}.js" for module in _WORKLETS), WORKLET]}
_JOINTS = re.compile(r'^(?:import .+ from "\./(?:\w+/)?\w+\.js"|export \{.+\});\n|^export (?=class|const|function)', re.MULTILINE)


def versioned(name: str) -> str:
    """The address of an asset, which changes whenever any asset does: modules load each other by the version they came with."""
    return f"{ROUTE}/{name}?v={_version()}"


class AssetFiles(StaticFiles):
    """Serves them: modules without their comments, and some files joined into one. An address with the version in it may be kept for
    good; any other is asked for anew.
    """

    def __init__(self) -> None:
        super().__init__(directory=ASSETS)

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path in (STYLE, *_texts()) and scope["method"] == "GET":
            response = _sent(path, packed="gzip" in Headers(scope=scope).get("accept-encoding", ""))
        else:
            response = await super().get_response(path, scope)
        current = scope["query_string"] == b"v=" + _version().encode()
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if current else "no-cache"
        return response


def _sent(name: str, *, packed: bool) -> Response:
    kind = "text/javascript" if name.endswith(".js") else "text/css"
    headers = {"Vary": "Accept-Encoding"} | ({"Content-Encoding": "gzip"} if packed else {})
    return Response(pack(name) if packed else text_of(name), media_type=kind, headers=headers)


@cache
def pack(name: str) -> bytes:
    """What is sent under this name, as gzip. Files don't change while the process runs."""
    return gzip.compress(text_of(name).encode(), compresslevel=9, mtime=0)


def pack_script(path: Path) -> bytes:
    """A page element's module, without its comments, as gzip."""
    return gzip.compress(str(jsmin(path.read_text(encoding="utf-8"))).encode(), compresslevel=9, mtime=0)


@cache
def text_of(name: str) -> str:
    """What is sent of a module or style sheet, or of those that are joined under this name."""
    parts = [(ASSETS / part).read_text(encoding="utf-8") for part in _MADE_OF.get(name, [name])]
    if not name.endswith(".js"):
        return "".join(parts)
    return str(jsmin("".join(_JOINTS.sub("", part) for part in parts) if len(parts) > 1 else parts[0]))


@cache
def _version() -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in _texts().values())).hexdigest()[:12]


@cache
def _texts() -> dict[str, Path]:
    return {path.relative_to(ASSETS).as_posix(): path for path in sorted(ASSETS.rglob("*")) if path.suffix in (".js", ".css")}
