"""Routes each request to one of the two faces: the REST API or the pages."""

from starlette.types import ASGIApp, Receive, Scope, Send

from services.support.root_path import path_of

_API_PATHS = frozenset({"/health", "/health/live", "/metrics", "/openapi.json", "/docs", "/api", "/mcp"})


def is_api(path: str) -> bool:
    """True if a path belongs to the API, including its description and /docs."""
    return path.startswith(("/api/", "/docs/")) or path in _API_PATHS


class FaceRouter:
    """Sends API requests directly to the API, without the five middlewares that NiceGUI puts before its pages."""

    def __init__(self, *, api: ASGIApp, pages: ASGIApp) -> None:
        self.api = api
        # NiceGUI finds its server by following `.app` from the server's outermost app to its own.
        self.app = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.api if is_api(path_of(scope)) else self.app)(scope, receive, send)
