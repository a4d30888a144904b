"""Who may stop all dialling, and allow it again."""

from services.dialling.switch import Switch
from services.domain.client import Client, Scope
from services.domain.permissions import require, require_any_call


async def stop_dialling(switch: Switch, client: Client, reason: str = "") -> None:
    """Stops all dialling, as the switch says. Raises Forbidden."""
    require_stopping(client)
    await switch.stop(client.name, reason)


async def resume_dialling(switch: Switch, client: Client) -> None:
    """Allows dialling again. Raises Forbidden, JournalError."""
    require(client, Scope.MANAGE)
    await switch.resume(client.name)


def require_stopping(client: Client) -> None:
    """Raises Forbidden unless the client may prevent calls: all of them, or those to one number."""
    if Scope.MANAGE not in client.scopes:
        require_any_call(client, Scope.CONTROL)
