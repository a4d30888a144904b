"""Other websites that may use the API: CORS for those that are named, and for nobody else."""

from collections.abc import Collection

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp


def with_cors(app: ASGIApp, origins: Collection[str]) -> ASGIApp:
    """`app` behind CORS for `origins`. It stands before everything that may refuse, so that a refusal can be read as well.

    No cookie counts from there: a website that may use the API does so by a token.
    """
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=sorted(origins),
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"],
        expose_headers=["Idempotency-Replayed", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id"],
    )
