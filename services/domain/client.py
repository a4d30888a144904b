"""Who makes a request: the page's user, a named token, or a program on this machine. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum


class Scope(StrEnum):
    """What a client may do. `control` is hanging up and steering, `listen` hearing a call."""

    CALL = "call"
    READ = "read"
    CONTROL = "control"
    LISTEN = "listen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A user of Earshot. `name` appears in the audit; idempotency keys and duplicates are counted per name."""

    name: str
    scopes: frozenset[Scope] = field(default_factory=lambda: frozenset(Scope))


PAGE = Client(name="page")
"""The page's user, logged in if a password is set."""

LOCAL = Client(name="local")
"""A program on this machine, if no tokens are configured."""
