"""The client of a request, set by `Authentication`, and its scopes."""

from fastapi import Request

from services.domain.client import Client, Scope
from services.domain.errors import Unauthorized
from services.domain.permissions import require, require_reports


def client_of(request: Request, *scopes: Scope) -> Client:
    """The client behind `request`. Raises Forbidden if it has none of `scopes`, Unauthorized without a client."""
    client = _client(request)
    if client is None:
        raise Unauthorized("Send a valid token: Authorization: Bearer ...")
    require(client, *scopes)
    return client


def client_for_reports(request: Request) -> Client:
    """Like `client_of`, for insights and export: not each person who may read calls may have these."""
    client = client_of(request, Scope.READ)
    require_reports(client)
    return client


def may(request: Request, scope: Scope) -> bool:
    """True if the client has `scope`: for answers that say more to those who may know more."""
    client = _client(request)
    return client is not None and scope in client.scopes


def _client(request: Request) -> Client | None:
    client = getattr(request.state, "client", None)
    return client if isinstance(client, Client) else None
