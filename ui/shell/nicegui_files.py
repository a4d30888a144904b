"""The scripts and style sheets that NiceGUI serves, packed once. Left to itself it packs them anew for each request, over a megabyte for
every page that is opened, and the whole process waits for that.
"""

import asyncio
import gzip
from functools import cache
from pathlib import Path

import nicegui
from nicegui.dependencies import esm_modules, js_components, libraries
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.support.root_path import path_of
from ui.kit.assets import ASSETS, pack_script

ROUTE = f"/_nicegui/{nicegui.__version__}"
"""Below it an address holds, besides the version, the path of a file or a hash of where it lies and when it was written."""

_UI = Path(__file__).resolve().parent.parent
_STATIC = Path(nicegui.__file__).resolve().parent / "static"
_KINDS = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css"}


class NiceguiFiles:
    """Answers for them where the browser takes gzip, and lets it keep them for good; everything else goes on to `app`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._packed: dict[Path, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = _wanted(scope)
        if path is None:
            await self.app(scope, receive, send)
            return
        if path not in self._packed:
            self._packed[path] = await asyncio.to_thread(_pack, path)
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        await Response(self._packed[path], media_type=_KINDS[path.suffix], headers=headers)(scope, receive, send)


def _wanted(scope: Scope) -> Path | None:
    """The file that is asked for, where it is one of these."""
    if scope["type"] != "http" or scope["method"] != "GET" or not path_of(scope).startswith(f"{ROUTE}/"):
        return None
    if "gzip" not in Headers(scope=scope).get("accept-encoding", ""):
        return None
    kind, _, name = path_of(scope).removeprefix(f"{ROUTE}/").partition("/")
    if kind == "static":
        return _static().get(name)
    if kind == "esm":
        return _modules().get(name)
    found = js_components.get(name) if kind == "components" else libraries.get(name) if kind == "libraries" else None
    return found.path if found else None


@cache
def _static() -> dict[str, Path]:
    """NiceGUI's own scripts and style sheets by their names. What a stranger names is looked up here and never on the disk."""
    return {path.relative_to(_STATIC).as_posix(): path for path in _STATIC.rglob("*") if path.suffix in _KINDS}


def _modules() -> dict[str, Path]:
    """The files of NiceGUI's packages, such as the charts, by key of the package and name. A package is there from its first use on."""
    return {f"{key}/{path.name}": path for key, module in esm_modules.items() for path in module.path.glob("*.js")}


def _pack(path: Path) -> bytes:
    ours = path.is_relative_to(ASSETS) or path.is_relative_to(_UI)
    return pack_script(path) if ours else gzip.compress(path.read_bytes(), compresslevel=9, mtime=0)
