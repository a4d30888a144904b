"""Named API tokens, stored as hashes. `python -m services.web.tokens NAME [SCOPE...]` makes one."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.domain.api_token import RESERVED, is_token_name
from services.domain.client import Client, Scope
from services.settings import SettingsError


@dataclass(frozen=True, slots=True)
class ApiTokens:
    """The clients of the API. Only the SHA-256 of tokens is stored; they are long and random, so that no slow hash is needed."""

    clients: Sequence[tuple[bytes, Client]]

    def __bool__(self) -> bool:
        return bool(self.clients)

    def any_may(self, scope: Scope) -> bool:
        """True if a token has this scope."""
        return any(scope in client.scopes for _, client in self.clients)

    def client_of(self, token: str) -> Client | None:
        """The client of this token. Compares all tokens, so that the duration reveals nothing."""
        digest = hashlib.sha256(token.encode(errors="replace")).digest()
        found = None
        for known, client in self.clients:
            if hmac.compare_digest(known, digest):
                found = client
        return found


def read_tokens(text: str) -> ApiTokens:
    """`name:scope+scope:sha256hex`, separated by commas; `*` stands for every scope. Raises SettingsError, which never contains a hash."""
    clients: list[tuple[bytes, Client]] = []
    for number, entry in enumerate((part.strip() for part in text.split(",") if part.strip()), start=1):
        name, _, rest = entry.partition(":")
        scopes, _, digest = rest.rpartition(":")
        if not is_token_name(name) or name in RESERVED or any(client.name == name for _, client in clients):
            raise SettingsError(f"EARSHOT_API_TOKENS: entry {number} needs a name of its own, of letters, digits, dots and dashes")
        if not re.fullmatch(r"[0-9a-fA-F]{64}", digest):
            raise SettingsError(f"EARSHOT_API_TOKENS: the token of {name} must be its SHA-256 in 64 hexadecimal digits")
        # A token with every scope was meant for REST before there was MCP.
        asks_first = scopes != "*" and Scope.MCP in _scopes(name, scopes)
        clients.append((bytes.fromhex(digest), Client(name=name, scopes=_scopes(name, scopes), asks_first=asks_first)))
    return ApiTokens(clients)


def _scopes(name: str, text: str) -> frozenset[Scope]:
    if text == "*":
        return frozenset(Scope)
    try:
        return frozenset(Scope(word) for word in text.split("+"))
    except ValueError:
        raise SettingsError(f"EARSHOT_API_TOKENS: the scopes of {name} are any of {'+'.join(Scope)}, or *") from None
