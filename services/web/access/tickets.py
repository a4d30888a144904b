"""Tickets to listen to one call for a limited time. They are part of a URL, since browsers can't set headers, and need no storage."""

import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable

_LONGEST = 120  # characters


class Tickets:
    """Issues and checks tickets. `ttl` is in seconds, `clock` returns Unix time. Without a `secret`, a random one is used."""

    def __init__(self, secret: bytes | None = None, ttl: float = 600, *, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret or secrets.token_bytes(32)
        self._ttl = ttl
        self._clock = clock

    def issue(self, call_id: str, client: str = "page") -> str:
        """A ticket for `call_id`, given to the client named `client`, of characters that need no escaping in a URL."""
        return self._sign(call_id, client, f"{int(self._clock() + self._ttl):x}")

    def check(self, ticket: str, call_id: str) -> str | None:
        """The client of `ticket`, or None if it is not a valid ticket for this call. Takes the same time for any wrong signature."""
        expiry, _, rest = ticket.partition(".")
        client = rest.partition(".")[2]
        if len(ticket) > _LONGEST:
            return None
        if not hmac.compare_digest(ticket.encode(errors="replace"), self._sign(call_id, client, expiry).encode(errors="replace")):
            return None
        return client if self._clock() < int(expiry, 16) else None

    def _sign(self, call_id: str, client: str, expiry: str) -> str:
        # The length prevents that part of the name is read as part of the call's id.
        message = f"{expiry}.{len(client)}.{client}.{call_id}"
        signature = hmac.digest(self._secret, message.encode(errors="replace"), "sha256")
        return f"{expiry}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}.{client}"
