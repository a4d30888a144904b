"""Who asks: the page's user, a named token, or a program on this machine. Pure."""

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
    """One who uses Earshot. `name` stands in the audit and is what idempotency keys and duplicates are counted by."""

    name: str
    scopes: frozenset[Scope] = field(default_factory=lambda: frozenset(Scope))


PAGE = Client(name="page")
"""The page's user; with a password set, one who has logged in."""

LOCAL = Client(name="local")
"""A program on this machine, while no token is asked for."""
