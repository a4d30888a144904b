"""Checks that a webhook comes from Vapi before anything believes it: by a secret in a header, or by a signature. A pure ASGI middleware."""

import math
import secrets

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from services.domain.errors import NotConfigured, Unauthorized
from services.support.root_path import path_of
from services.web.access.sessions import Attempts
from services.web.access.webhook_signature import WebhookSignature
from services.web.problems import problem, problem_of
from services.web.received_body import BODY_TIMEOUT_S, receive_body, replaying

LONGEST_WAIT_S = 60.0
"""After many wrong secrets from one address. Short, because an owner who corrects the secret at Vapi waits as well."""

_WRONG = "Wrong webhook secret or signature. Set the same one here (EARSHOT_WEBHOOK_SECRET or EARSHOT_WEBHOOK_HMAC_KEY) and at Vapi."


class WebhookAccess:
    """Refuses requests to `path` that neither carry `secret` nor are signed as `signature` says; all of them if neither is set.

    A webhook's body may be large, and everybody who reaches the server can send one, so a refused body is never read. Only a signature
    can't be checked without its body: then at most `max_body` bytes are read, of `max_unchecked` requests of one address at once.
    Only the address that guesses has to wait: a stranger must not be able to keep Vapi out.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        path: str,
        secret: str,
        max_body: int,
        signature: WebhookSignature | None = None,
        attempts: Attempts | None = None,
        max_unchecked: int = 32,
    ) -> None:
        self.app = app
        self._path = path
        self._secret = secret
        self._signature = signature
        self._max_body = max_body
        self._max_unchecked = max_unchecked
        self._unchecked: dict[str, int] = {}
        self._attempts = attempts or Attempts(longest_wait=LONGEST_WAIT_S, shared=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or path_of(scope) != self._path:
            return await self.app(scope, receive, send)
        headers, address = Headers(scope=scope), scope["client"][0] if scope["client"] else ""
        refusal = self._refusal(scope["method"], address)
        if refusal is None and not self._knows_secret(headers):
            if self._signature and self._signature.carried_by(headers):
                return await self._check_signature(self._signature, address, scope, receive, send)
            refusal = self._refuse(address)
        if refusal:
            return await _answer_unread(refusal, scope, receive, send)
        self._attempts.succeeded(address)
        return await self.app(scope, receive, send)

    def _refusal(self, method: str, address: str) -> JSONResponse | None:
        if method != "POST":  # answered here, since its body would be read before the route is found
            return problem(405, "method_not_allowed", "This address supports POST only.", headers={"Allow": "POST"})
        if not self._secret and not self._signature:
            return problem_of(NotConfigured("Webhooks are not set up. Set EARSHOT_WEBHOOK_SECRET, and the same secret at Vapi."))
        wait = self._attempts.wait(address)
        if not wait and self._unchecked.get(address, 0) >= self._max_unchecked:
            wait = 1.0
        if wait:
            detail = "This address sent too many webhooks with a wrong secret or signature."
            return problem(429, "too_many_attempts", detail, retryable=True, headers={"Retry-After": str(math.ceil(wait))})
        return None

    def _knows_secret(self, headers: Headers) -> bool:
        shown = _shown(headers)
        return bool(self._secret) and any(secrets.compare_digest(one.encode(), self._secret.encode()) for one in shown)

    async def _check_signature(self, signature: WebhookSignature, address: str, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if headers.get("content-length", "0").isdigit() and int(headers.get("content-length", "0")) > self._max_body:
            refusal = problem(413, "body_too_large", f"The body is too large: at most {self._max_body} bytes.")
            return await _answer_unread(refusal, scope, receive, send)
        self._unchecked[address] = self._unchecked.get(address, 0) + 1
        try:
            body = await receive_body(receive, self._max_body, BODY_TIMEOUT_S)
        finally:
            self._unchecked[address] -= 1
            if not self._unchecked[address]:
                del self._unchecked[address]
        if body is None:
            return None
        if isinstance(body, JSONResponse):
            return await body(scope, receive, send)
        if not signature.verify(headers, body):
            return await _answer_unread(self._refuse(address), scope, receive, send)
        self._attempts.succeeded(address)
        return await self.app(scope, replaying(body, receive), send)

    def _refuse(self, address: str) -> JSONResponse:
        self._attempts.failed(address)
        return problem_of(Unauthorized(_WRONG))


async def _answer_unread(refusal: JSONResponse, scope: Scope, receive: Receive, send: Send) -> None:
    refusal.headers["Connection"] = "close"
    await refusal(scope, receive, send)


def _shown(headers: Headers) -> list[str]:
    """The secrets that a request shows: `X-Vapi-Secret`, and a bearer credential with or without its prefix."""
    authorization = headers.get("authorization", "")
    scheme, _, token = authorization.partition(" ")
    return [headers.get("x-vapi-secret", ""), token.strip() if scheme.lower() == "bearer" else authorization]
