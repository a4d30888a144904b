"""Tokens for the API that somebody makes on the page: named, with scopes and an end. Only their hashes are kept. Pure."""

import hashlib
import json
import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.domain.client import LOCAL, PAGE, Client, Scope
from services.domain.errors import RequestError

MOST_TOKENS = 100
LONGEST_DAYS = 3650
RESERVED = frozenset({PAGE.name, LOCAL.name})
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_PREFIX = "earshot_"
"""Begins each token, so that programs that look for leaked secrets find it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """`digest` is the SHA-256 of the token in hex: a fast hash is enough, since the token has 256 random bits. `expires_at` None: never.

    `dials_unasked`: nobody has to confirm what it dials over MCP. `made_by` is the id of the person who made it; it ends when that
    person is no longer an owner. Empty: made by somebody without a name.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    digest: str
    made_at: datetime
    expires_at: datetime | None
    dials_unasked: bool = False
    made_by: str = ""

    @property
    def client(self) -> Client:
        """A token that must ask before it dials over MCP can't dial over REST either: else an assistant would dial that way."""
        asks_first = Scope.MCP in self.scopes and not self.dials_unasked
        return Client(name=self.name, scopes=self.scopes, dials_unasked=self.dials_unasked, asks_first=asks_first, token=self.id)

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at


def is_token_name(text: str) -> bool:
    """True if a token may have this name: letters, digits, dots and dashes, at most 40."""
    return bool(_NAME.fullmatch(text))


def digest_of(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()


def make_token(
    name: str, scopes: Collection[str], days: int | None, *, now: datetime, dials_unasked: bool = False, made_by: str = ""
) -> tuple[str, ApiToken]:
    """A new token and what is kept of it. `days` until it expires; None: never. Raises RequestError for what a token can't be."""
    if not is_token_name(name) or name in RESERVED:
        raise RequestError("Give the token a name of letters, digits, dots and dashes, at most 40.", code="invalid_token_name")
    if not scopes or not set(scopes) <= set(Scope):
        raise RequestError("Choose what the token may do.", code="no_token_scope")
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise RequestError(f"A token lasts 1 to {LONGEST_DAYS} days.", code="invalid_token_days")
    token = _PREFIX + secrets.token_urlsafe(32)
    return token, ApiToken(
        id=secrets.token_hex(8),
        name=name,
        scopes=frozenset(map(Scope, scopes)),
        digest=digest_of(token).hex(),
        made_at=now,
        expires_at=None if days is None else now + timedelta(days=days),
        dials_unasked=dials_unasked,
        made_by=made_by,
    )


def dumped(tokens: Iterable[ApiToken]) -> str:
    """The tokens as the journal keeps them: one per line, as JSON."""
    return "".join(
        json.dumps(
            {
                "id": token.id,
                "name": token.name,
                "scopes": sorted(token.scopes),
                "digest": token.digest,
                "made_at": token.made_at.isoformat(),
                "expires_at": token.expires_at.isoformat() if token.expires_at else None,
                "dials_unasked": token.dials_unasked,
                "made_by": token.made_by,
            }
        )
        + "\n"
        for token in tokens
    )


def loaded(text: str) -> dict[str, ApiToken]:
    """The tokens by their ids, oldest first. A line that can't be read lets nobody in, and neither does one with an unknown scope."""
    found = {}
    for line in text.splitlines():
        try:
            row = json.loads(line)
            token = ApiToken(
                id=row["id"],
                name=row["name"],
                scopes=frozenset(map(Scope, row["scopes"])),
                digest=bytes.fromhex(row["digest"]).hex(),
                made_at=_time(row["made_at"]),
                expires_at=_time(row["expires_at"]) if row["expires_at"] is not None else None,
                dials_unasked=row.get("dials_unasked") is True,
                made_by=str(row.get("made_by", "")),
            )
        except (ValueError, TypeError, KeyError):
            continue
        found[token.id] = token
    return found


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
