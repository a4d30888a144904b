"""Which of the two faces a request is for: the REST API or the pages."""

from starlette.types import ASGIApp, Receive, Scope, Send

_API_PATHS = frozenset({"/health", "/openapi.json", "/docs", "/api"})


def is_api(path: str) -> bool:
    """Whether a path is the API's, its description and its browser among them."""
    return path.startswith(("/api/", "/docs/")) or path in _API_PATHS


class FaceRouter:
    """Hands API requests straight to the API, past the five middlewares that NiceGUI puts before its pages."""

    def __init__(self, *, api: ASGIApp, pages: ASGIApp) -> None:
        self.api = api
        # NiceGUI finds its server by following `.app` from the server's outermost app to its own.
        self.app = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.api if is_api(scope.get("path", "")) else self.app)(scope, receive, send)
