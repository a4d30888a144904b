"""The client of a request, set by `Authentication`, and its scopes."""

from fastapi import Request

from services.domain.client import Client, Scope
from services.domain.errors import Forbidden, Unauthorized


def client_of(request: Request, scope: Scope) -> Client:
    """The client behind `request`. Raises Forbidden without `scope`, Unauthorized without a client."""
    client = _client(request)
    if client is None:
        raise Unauthorized("Send a valid token: Authorization: Bearer ...")
    if scope not in client.scopes:
        raise Forbidden(f"This token lacks the scope `{scope}`.")
    return client


def may_listen(request: Request) -> bool:
    """True if the client may have a listen URL."""
    client = _client(request)
    return client is not None and Scope.LISTEN in client.scopes


def _client(request: Request) -> Client | None:
    client = getattr(request.state, "client", None)
    return client if isinstance(client, Client) else None
