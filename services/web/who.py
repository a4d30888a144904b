"""Who asks, and whether they may: the client that the gatekeeper put on the request."""

from fastapi import Request

from services.client import LOCAL, Client, Scope
from services.errors import Forbidden


def client_of(request: Request, scope: Scope) -> Client:
    """The client behind `request`: a program on this machine where no gatekeeper named one. Raises Forbidden without `scope`."""
    client: Client = getattr(request.state, "client", LOCAL)
    if scope not in client.scopes:
        raise Forbidden(f"This token has no scope `{scope}`, which this takes.")
    return client


def may_listen(request: Request) -> bool:
    """Whether the client behind `request` may be given a listen URL."""
    client: Client = getattr(request.state, "client", LOCAL)
    return Scope.LISTEN in client.scopes
