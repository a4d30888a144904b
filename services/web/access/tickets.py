"""Tickets to listen to one call for a limited time. They are part of a URL, since browsers can't set headers, and need no storage."""

import hmac
import re
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import NamedTuple

from services.journal import Journal

_LONGEST = 500  # characters: the name of a person has up to 60, of four bytes each
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")


class Holder(NamedTuple):
    """Who was given a ticket: the client's name, and the key of its session or an empty text."""

    client: str
    session: str


class Tickets:
    """Issues and checks tickets. `ttl` is in seconds, `clock` returns Unix time. Without a `secret`, a random one is used."""

    def __init__(self, secret: bytes | None = None, ttl: float = 600, *, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret or secrets.token_bytes(32)
        self._ttl = ttl
        self._clock = clock

    def issue(self, call_id: str, client: str = "page", session: str = "") -> str:
        """A ticket for `call_id`, given to the client named `client`, of characters that need no escaping in a URL.

        `session` is the key of the session that it belongs to, empty without one.
        """
        return self._sign(call_id, Holder(_written(client), session), f"{int(self._clock() + self._ttl):x}")

    def check(self, ticket: str, call_id: str) -> Holder | None:
        """The holder of `ticket`, or None if it is not a valid ticket for this call. Takes the same time for any wrong signature.

        Whether its session lives is for the caller to find out.
        """
        expiry, _, rest = ticket.partition(".")
        session, _, name = rest.partition(".")[2].partition(".")
        client = Holder(name, session)
        if len(ticket) > _LONGEST:
            return None
        if not hmac.compare_digest(ticket.encode(errors="replace"), self._sign(call_id, client, expiry).encode(errors="replace")):
            return None
        return Holder(_read(name), session) if self._clock() < int(expiry, 16) else None

    def _sign(self, call_id: str, holder: Holder, expiry: str) -> str:
        # The length prevents that part of the name is read as part of the call's id.
        message = f"{expiry}.{holder.session}.{len(holder.client)}.{holder.client}.{call_id}"
        signature = hmac.digest(self._secret, message.encode(errors="replace"), "sha256")
        return f"{expiry}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}.{holder.session}.{holder.client}"


async def ticket_key(journal: Journal) -> bytes:
    """The key that signs tickets, the same in all processes and after a restart. Raises JournalError."""
    key, _ = await journal.change_state("ticket-key", lambda known: known or secrets.token_hex(32))
    return bytes.fromhex(key)


def _written(name: str) -> str:
    """A client's name, of characters that need no escaping; a dot at the beginning says that it is encoded."""
    return name if _PLAIN.fullmatch(name) else f".{urlsafe_b64encode(name.encode()).rstrip(b'=').decode()}"


def _read(name: str) -> str:
    return urlsafe_b64decode(f"{name[1:]}==").decode() if name.startswith(".") else name
