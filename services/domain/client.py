"""Who makes a request: the page's user, a named token, or a program on this machine. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum


class Scope(StrEnum):
    """What a client may do. None includes another: a token that may `control` can't read what it controls."""

    READ = "read"
    """See calls, and what was said in them."""
    LISTEN = "listen"
    """Hear calls: live, and their recordings."""
    CALL = "call"
    """Place calls, with any assistant of the account and any variables for it, and move scheduled ones."""
    CONTROL = "control"
    """Hang up, steer, record and annotate calls, and stop all dialling."""
    TRANSFER = "transfer"
    """Hand a call over, or tell its assistant to: both ring a telephone."""
    MANAGE = "manage"
    """Undo what protects: lift the stop, and delete recordings and the data of calls. Also stop all dialling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A user of Earshot. `name` appears in the audit; idempotency keys and duplicates are counted per name."""

    name: str
    scopes: frozenset[Scope] = field(default_factory=lambda: frozenset(Scope))


PAGE = Client(name="page")
"""The page's user, logged in if a password is set."""

LOCAL = Client(name="local")
"""A program on this machine, if no tokens are configured."""
