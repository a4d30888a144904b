"""A sign-in that has begun, in a signed cookie: the answer must come to the browser that began it, in whichever process."""

import base64
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

LASTS_S = 600
"""How long somebody may take to sign in at the provider."""

_RANDOM = 32  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """`state` ties the answer to this browser, `nonce` the ID token to this sign-in, `verifier` the code to this server (PKCE).

    `next` is where the person was going, `redirect_uri` where the provider sends them back to.
    """

    state: str
    nonce: str
    verifier: str
    next: str
    redirect_uri: str
    until: float


class PendingSignIns:
    """`key` signs the cookies, and is the same in all processes."""

    def __init__(self, key: bytes, now: Callable[[], float] = time.time) -> None:
        self._key = hmac.digest(key, b"oidc-pending", "sha256")
        self._now = now

    def begin(self, next_path: str, redirect_uri: str) -> Pending:
        state, nonce, verifier = (secrets.token_urlsafe(_RANDOM) for _ in range(3))
        return Pending(state=state, nonce=nonce, verifier=verifier, next=next_path, redirect_uri=redirect_uri, until=self._now() + LASTS_S)

    def sealed(self, pending: Pending) -> str:
        """For the cookie."""
        body = base64.urlsafe_b64encode(json.dumps(asdict(pending)).encode()).decode()
        return f"{body}.{self._signature(body)}"

    def opened(self, cookie: str, state: str) -> Pending | None:
        """The sign-in of this cookie if it is ours, waits for this state, and is not too old."""
        body, _, signature = cookie.partition(".")
        if not hmac.compare_digest(signature.encode(errors="replace"), self._signature(body).encode()):
            return None
        pending = Pending(**json.loads(base64.urlsafe_b64decode(body)))
        matches = hmac.compare_digest(pending.state.encode(), state.encode(errors="replace"))
        return pending if matches and self._now() < pending.until else None

    def _signature(self, body: str) -> str:
        return hmac.digest(self._key, body.encode(errors="replace"), "sha256").hex()
