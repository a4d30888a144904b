"""Tickets: who holds one may listen to one call for a while. They stand in a URL, where no header can, and need no memory."""

import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable

_LONGEST = 120  # characters


class Tickets:
    """Issues and checks them. `ttl` is in seconds; `clock` is Unix time; a `secret` of its own dies with the process."""

    def __init__(self, secret: bytes | None = None, ttl: float = 600, *, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret or secrets.token_bytes(32)
        self._ttl = ttl
        self._clock = clock

    def issue(self, call_id: str, who: str = "page") -> str:
        """A ticket for `call_id`, given to the client named `who`, of characters that need no escaping in a URL."""
        return self._sign(call_id, who, f"{int(self._clock() + self._ttl):x}")

    def check(self, ticket: str, call_id: str) -> str | None:
        """Whom it was given to, if `ticket` was issued here, for this call, and is still valid. Takes the same time for any wrong one."""
        expiry, _, rest = ticket.partition(".")
        who = rest.partition(".")[2]
        if len(ticket) > _LONGEST:
            return None
        if not hmac.compare_digest(ticket.encode(errors="replace"), self._sign(call_id, who, expiry).encode(errors="replace")):
            return None
        return who if self._clock() < int(expiry, 16) else None

    def _sign(self, call_id: str, who: str, expiry: str) -> str:
        # With the length in front, no part of a name can pass for part of a call's id.
        meaning = f"{expiry}.{len(who)}.{who}.{call_id}"
        signature = hmac.digest(self._secret, meaning.encode(errors="replace"), "sha256")
        return f"{expiry}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}.{who}"
