"""What a client may do, asked before it is done. All raise Forbidden. Pure."""

from services.domain.client import Client, Scope
from services.domain.errors import Forbidden


def require(client: Client, *scopes: Scope) -> None:
    """Passes a client with any of `scopes`."""
    if client.scopes.isdisjoint(scopes):
        raise _forbidden(client, f"lacks the scope {' or '.join(f'`{scope}`' for scope in scopes)}")


def require_any_call(client: Client, *scopes: Scope) -> None:
    """Passes a client with any of `scopes` that may use it for every call, whoever placed it."""
    require(client, *scopes)
    if client.own_calls_only:
        raise Forbidden("Your role allows this only for calls that you placed.", code="not_your_call")


def require_reports(client: Client) -> None:
    """Passes a client that may read insights and export lists of calls."""
    require(client, Scope.READ)
    if not client.reports:
        raise _forbidden(client, "may not read reports")


def require_recording(client: Client) -> None:
    """Passes a client that may record calls, if the call is one that it may control."""
    require(client, Scope.CONTROL)
    if not client.caps.record:
        raise Forbidden("You may not record calls. An owner can allow it.", code="may_not_record")


def _forbidden(client: Client, why: str) -> Forbidden:
    return Forbidden("Your role does not allow this. An owner can give you another." if client.person else f"This token {why}.")
