"""Who makes a request: the page's user, a named token, or a program on this machine. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum

from services.domain.caps import Caps


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
    """Undo what protects: lift the stop, and delete recordings and the data of calls. Manage people, tokens, webhooks and rules, and read
    the audit. Also stop all dialling."""
    MCP = "mcp"
    """Use `/mcp`. Its tools need other scopes too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A user of Earshot. `name` appears in the audit; idempotency keys and duplicates are counted per name.

    `own_calls_only`: the scope `control` is for calls that this client placed. `reports`: may read insights and export lists of calls, if
    it may read calls. `person` is the id of the person who signed in, empty for tokens and for the shared password.

    `machine`: an assistant that asks over MCP. `dials_unasked`: nobody has to confirm what it dials there. `asks_first`: it may dial
    only there, not over REST. `confirmed_by` confirmed the dial being placed: that person's caps apply and count it.

    `token` is the id of a token made on the page, empty for others: another token may get its name later.
    """

    name: str
    scopes: frozenset[Scope] = field(default_factory=lambda: frozenset(Scope))
    caps: Caps = field(default_factory=Caps)
    own_calls_only: bool = False
    reports: bool = True
    person: str = ""
    machine: bool = False
    dials_unasked: bool = False
    asks_first: bool = False
    confirmed_by: "Client | None" = None
    token: str = ""


PAGE = Client(name="page")
"""A user of the page without a name of their own: on this machine, or with the shared password."""

LOCAL = Client(name="local")
"""A program on this machine, if no tokens are configured."""
