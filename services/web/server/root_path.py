"""Serves everything under a path: a pure ASGI middleware behind the gatekeeper, whose checks and headers hold for its redirect too."""

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from services.support.root_path import address


class RootPath:
    """Takes requests with the root path, as a proxy passes them on, and without it, if the proxy has removed it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._root = address("")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        if scope["path"] == self._root and scope["type"] == "http":
            query = scope["query_string"].decode("latin-1")
            return await RedirectResponse(f"{self._root}/{f'?{query}' if query else ''}", 308)(scope, receive, send)
        whole = scope["path"] if scope["path"].startswith(f"{self._root}/") else self._root + scope["path"]
        # ASGI: the path contains the root path. Starlette and NiceGUI find routes and make addresses by both.
        return await self.app({**scope, "path": whole, "raw_path": None, "root_path": self._root}, receive, send)
