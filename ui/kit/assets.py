"""The files that browsers load: where they are, how they are compressed, and how they are cached."""

import gzip
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from string import ascii_letters

from rjsmin import jsmin
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from services.support.root_path import address

ASSETS = Path(__file__).resolve().parent.parent.parent / "assets"
ROUTE = "/assets"
STYLE = "page.css"
"""All of the page's style sheets as one file: over HTTP/1.1 a browser fetches only six files at once."""
FONT = "fonts/inter.woff2"
WORKLET = "playout_worklet.js"
"""Served as one file with all the modules that it imports. Measured with 50 ms of delay per request and an empty cache: the first sound
comes after 130 ms, with separate modules after 310 ms. The player is 15.3 kB gzipped instead of 21 kB; 2.2 kB of that is due to short
names and to constants that are replaced by their numbers.
"""

_SHEETS = [
    *["font", "tokens", "ground", "header", "columns", "controls", "stage", "sound", "outcome", "welcome", "list", "narrow"],
    *[
        "dialer",
        "frame",
        "call",
        "calls",
        "transcript",
        "steering",
        "recorded",
        "timeline",
        "annotations",
        "player",
        "replay",
        "safety",
        "docked",
        "wide",
        "dialogs",
        "contacts",
        "settings_panels",
        "phrases",
        "present",
        "fleet",
        "alerts",
        "rules",
    ],
]
"""The order matters: of two rules with the same specificity the later one wins."""
_VERSION = re.compile(r"^[0-9a-f]{12}/")
_IMPORT = re.compile(r'^import [^;]+ from "(\./[^"]+)";\n', re.MULTILINE)
_PRIVATE = re.compile(r"#[A-Za-z]\w*")
_CONSTANT = re.compile(r"\bconst ([A-Z][A-Z0-9_]+)\b")
_NUMBER = re.compile(r"\bconst ([A-Z][A-Z0-9_]+)=(\d[\d.e-]*);")
_NAME = re.compile(r"(?<![\w$.])[A-Z][A-Z0-9_]+\b")
_CLASS = re.compile(r"(?=\bclass [A-Z])")
_EXPORT = re.compile(r"^export (?=class|const|function)", re.MULTILINE)


def versioned(name: str) -> str:
    """The address of an asset. It changes whenever any asset does, and relative imports keep the version, so that versions never mix."""
    return address(f"{ROUTE}/{_version()}/{name}")


class AssetFiles(StaticFiles):
    """Serves the assets: scripts without their comments, and some files joined into one.

    A browser may keep for good what it got under the current version. An address without a version, or with an old one, which a page
    that was opened before an update still asks for, gives the current file and is revalidated each time.
    """

    def __init__(self) -> None:
        super().__init__(directory=ASSETS)

    async def get_response(self, path: str, scope: Scope) -> Response:
        name = _VERSION.sub("", path)
        text = name in (STYLE, *_texts())
        known = text or name == FONT
        if text and scope["method"] == "GET":
            response = _answer(name, compressed="gzip" in Headers(scope=scope).get("accept-encoding", ""))
        else:
            response = await super().get_response(name, scope)
        current = known and path == f"{_version()}/{name}"
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if current else "no-cache"
        return response


def _answer(name: str, *, compressed: bool) -> Response:
    kind = "text/javascript" if name.endswith(".js") else "text/css"
    headers = {"Vary": "Accept-Encoding"} | ({"Content-Encoding": "gzip"} if compressed else {})
    return Response(pack(name) if compressed else text_of(name), media_type=kind, headers=headers)


@cache
def pack(name: str) -> bytes:
    """What is served under this name, gzipped. Files don't change while the process runs."""
    return gzip.compress(text_of(name).encode(), compresslevel=9, mtime=0)


def pack_script(path: Path) -> bytes:
    """A page element's script without its comments, gzipped."""
    return gzip.compress(str(jsmin(_read(path))).encode(), compresslevel=9, mtime=0)


@cache
def text_of(name: str) -> str:
    """What is served under this name."""
    if name == STYLE:
        return "".join(_read(ASSETS / "styles" / f"{sheet}.css") for sheet in _SHEETS)
    if name == WORKLET:
        return _with_short_fields(_without_constants(str(jsmin(_join(ASSETS / WORKLET)))))
    text = _read(ASSETS / name)
    return _with_short_fields(str(jsmin(text))) if name.endswith(".js") else text


def _without_constants(script: str) -> str:
    """`script`, a joined one, with short names for the constants of its modules, which alone are in capitals; those that are no more than a
    number are replaced by it."""
    known = dict(_NUMBER.findall(script))
    rest = _NUMBER.sub("", script)
    known |= {name: f"${ending}" for name, ending in zip(_CONSTANT.findall(rest), _endings(), strict=False)}
    return _NAME.sub(lambda name: known.get(name[0], name[0]), rest)


def _with_short_fields(script: str) -> str:
    """`script` with short names for private fields, chosen for each class anew."""

    def shortened(part: str) -> str:
        short = {name: f"#{ending}" for name, ending in zip(dict.fromkeys(_PRIVATE.findall(part)), _endings(), strict=False)}
        return _PRIVATE.sub(lambda name: short[name[0]], part)

    return "".join(shortened(part) for part in _CLASS.split(script))


def _endings() -> Iterator[str]:
    """a, b ... Z, aa, ab ... ZZ"""
    return ("".join(letters) for length in (1, 2) for letters in product(ascii_letters, repeat=length))


def _join(entry: Path) -> str:
    """One script that does what this module does: each module after those that it imports, without `import` and `export`.

    The modules export by name, at the declaration; they import under the same name; no two of them declare the same name.
    """
    order: dict[Path, str] = {}

    def visit(module: Path) -> None:
        if module in order:
            return
        text = _read(module)
        for imported in _IMPORT.findall(text):
            visit((module.parent / imported).resolve())
        order[module] = _EXPORT.sub("", _IMPORT.sub("", text))

    visit(entry)
    return "".join(order.values())


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _version() -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in (*_texts().values(), ASSETS / FONT))).hexdigest()[:12]


@cache
def _texts() -> dict[str, Path]:
    return {path.relative_to(ASSETS).as_posix(): path for path in sorted(ASSETS.rglob("*")) if path.suffix in (".js", ".css")}
