"""The path under which everything is served (EARSHOT_ROOT_PATH): the same for all requests of a process, or nothing."""

from collections.abc import Mapping
from typing import Any

_root = ""


def serve_under(path: str) -> None:
    """Sets it, such as `/calls`. Called once, before any address is given out."""
    global _root
    _root = path


def address(path: str) -> str:
    """The address, as browsers and clients ask for it, of what is at `path`."""
    return _root + path


def path_of(scope: Mapping[str, Any]) -> str:
    """What a request asks for, without the path under which everything is served. `scope` is of ASGI."""
    path: str = scope.get("path", "")  # a server's own events have none
    return path.removeprefix(_root) if path.startswith(f"{_root}/") else path
