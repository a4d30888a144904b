"""Checks the secret of Vapi's webhooks before any of their body is read. A pure ASGI middleware."""

import math
import secrets

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from services.domain.errors import NotConfigured, Unauthorized
from services.web.access.sessions import Attempts
from services.web.problems import problem, problem_of

LONGEST_WAIT_S = 60.0
"""After many wrong secrets from one address. Short, because an owner who corrects the secret at Vapi waits as well."""


class WebhookSecret:
    """Refuses requests to `path` that don't carry `secret`; all of them if it is empty.

    A webhook's body may be large, and everybody who reaches the server can send one, so a refused body is never read.
    Only the address that guesses has to wait: a stranger must not be able to keep Vapi out.
    """

    def __init__(self, app: ASGIApp, *, path: str, secret: str, attempts: Attempts | None = None) -> None:
        self.app = app
        self._path = path
        self._secret = secret
        self._attempts = attempts or Attempts(longest_wait=LONGEST_WAIT_S, shared=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self._path:
            return await self.app(scope, receive, send)
        if refusal := self._refusal(scope):
            refusal.headers["Connection"] = "close"
            return await refusal(scope, receive, send)
        return await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        if scope["method"] != "POST":  # answered here, since its body would be read before the route is found
            return problem(405, "method_not_allowed", "This address supports POST only.", headers={"Allow": "POST"})
        headers, address = Headers(scope=scope), scope["client"][0] if scope["client"] else ""
        if not self._secret:
            return problem_of(NotConfigured("Webhooks are not set up. Set EARSHOT_WEBHOOK_SECRET, and the same secret at Vapi."))
        if wait := self._attempts.wait(address):
            detail = "This address sent too many wrong webhook secrets."
            return problem(429, "too_many_attempts", detail, retryable=True, headers={"Retry-After": str(math.ceil(wait))})
        if not any(secrets.compare_digest(shown.encode(), self._secret.encode()) for shown in _shown(headers)):
            self._attempts.failed(address)
            return problem_of(Unauthorized("Wrong webhook secret. Set the same one in EARSHOT_WEBHOOK_SECRET and at Vapi."))
        self._attempts.succeeded(address)
        return None


def _shown(headers: Headers) -> list[str]:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return [headers.get("x-vapi-secret", ""), token.strip() if scheme.lower() == "bearer" else ""]
