"""Who asks, and whether they may: the client that `Authentication` put on the request."""

from fastapi import Request

from services.domain.client import Client, Scope
from services.domain.errors import Forbidden, Unauthorized


def client_of(request: Request, scope: Scope) -> Client:
    """The client behind `request`. Raises Forbidden without `scope`, and Unauthorized where nobody said who asks: that is nobody."""
    client = _named(request)
    if client is None:
        raise Unauthorized("Send a token that Earshot knows: Authorization: Bearer ...")
    if scope not in client.scopes:
        raise Forbidden(f"This token has no scope `{scope}`, which this takes.")
    return client


def may_listen(request: Request) -> bool:
    """Whether the client behind `request` may be given a listen URL."""
    client = _named(request)
    return client is not None and Scope.LISTEN in client.scopes


def _named(request: Request) -> Client | None:
    client = getattr(request.state, "client", None)
    return client if isinstance(client, Client) else None
