"""What the owner does with endpoints: adds and deletes them, and has events sent again. Each change is in the audit."""

import base64
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from services.domain.client import Client, Scope
from services.domain.errors import FieldError, Forbidden, RequestError, WebhookNotFound
from services.journal import AuditRow, Delivery, Endpoint, EventKind
from services.journal.outbox import MOST, OutboxJournal
from services.webhooks_out.sender import Sender, SendFailed

LONGEST_URL = 2000

_PROBLEMS = {
    "private_address": (
        "is in a private network, or not encrypted. Use https, or name its address in EARSHOT_WEBHOOK_NETWORKS.",
        "webhook_url_private",
    ),
    "unreachable": ("can't be found. Check the name.", "webhook_url_not_found"),
}


class Endpoints:
    """Methods raise JournalError, and WebhookNotFound for an unknown id. Those that change something raise Forbidden without the scope
    `manage`, those that choose events also without `read`: events have what it shows.
    """

    def __init__(self, outbox: OutboxJournal, sender: Sender) -> None:
        self._outbox = outbox
        self._sender = sender

    async def all(self) -> list[Endpoint]:
        return await self._outbox.endpoints()

    async def add(self, url: str, kinds: Sequence[EventKind], client: Client) -> Endpoint:
        """Adds an endpoint, with a new secret. It gets events of these kinds; none: all. Raises RequestError."""
        _require(client, Scope.READ, Scope.MANAGE)
        if not _usable(url):
            raise _wrong("Write a web address such as https://crm.example/earshot, without user and password.", "webhook_url_invalid")
        try:
            await self._sender.check(url)
        except SendFailed as error:
            why, code = _PROBLEMS[error.problem]
            raise _wrong(f"This address {why}", code) from None
        endpoint = Endpoint(
            id=secrets.token_hex(8),
            url=url,
            secret=f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}",
            kinds=tuple(dict.fromkeys(kinds)),
            made_at=datetime.now(UTC),
            made_by=client.name,
        )
        if not await self._outbox.add(endpoint, _row(client, "add-webhook", endpoint)):
            raise RequestError(f"There are {MOST} webhooks already. Delete one first.", code="too_many_webhooks")
        return endpoint

    async def remove(self, endpoint_id: str, client: Client) -> None:
        """Deletes an endpoint with its log."""
        _require(client, Scope.MANAGE)
        endpoint = await self.get(endpoint_id)
        await self._outbox.remove(endpoint_id, _row(client, "delete-webhook", endpoint))

    async def enable(self, endpoint_id: str, client: Client) -> Endpoint:
        """Sends events again to an endpoint whose receiver said that it is gone, or that was disabled."""
        _require(client, Scope.MANAGE)
        endpoint = await self.get(endpoint_id)
        await self._outbox.enable(endpoint_id, _row(client, "enable-webhook", endpoint))
        return await self.get(endpoint_id)

    async def disable(self, endpoint_id: str, client: Client) -> Endpoint:
        """Sends an endpoint no more events. What happens until it is enabled again is not sent to it; what waits is kept."""
        _require(client, Scope.MANAGE)
        endpoint = await self.get(endpoint_id)
        await self._outbox.disable(endpoint_id, _row(client, "disable-webhook", endpoint))
        return await self.get(endpoint_id)

    async def choose(self, endpoint_id: str, kinds: Sequence[EventKind], client: Client) -> Endpoint:
        """Sends an endpoint events of these kinds from now on; none: of all but MEASURES_LIVE."""
        _require(client, Scope.READ, Scope.MANAGE)
        endpoint = await self.get(endpoint_id)
        await self._outbox.choose(endpoint_id, tuple(dict.fromkeys(kinds)), _row(client, "change-webhook", endpoint))
        return await self.get(endpoint_id)

    async def again(self, endpoint_id: str, delivery_id: int, client: Client) -> Delivery:
        """Has an event sent again, with the same id."""
        _require(client, Scope.MANAGE)
        endpoint = await self.get(endpoint_id)
        sent = await self._outbox.again(endpoint_id, delivery_id, _row(client, "send-again", endpoint))
        if sent is None:
            raise WebhookNotFound("This webhook has no event with this id.")
        return sent

    async def deliveries(self, endpoint_id: str, limit: int = 50) -> list[Delivery]:
        """The newest events of an endpoint first."""
        await self.get(endpoint_id)
        return await self._outbox.deliveries(endpoint_id, limit)

    async def get(self, endpoint_id: str) -> Endpoint:
        for endpoint in await self._outbox.endpoints():
            if endpoint.id == endpoint_id:
                return endpoint
        raise WebhookNotFound("There is no webhook with this id.")


def _require(client: Client, *scopes: Scope) -> None:
    if not client.scopes.issuperset(scopes):
        raise Forbidden(f"Managing webhooks needs {' and '.join(f'`{scope}`' for scope in scopes)}.")


def _usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # brackets that do not match, or a port over 65535
        return False
    plain = re.fullmatch("[!-~]+", url) is not None and len(url) <= LONGEST_URL and not set(url) & {"\\", "#"}
    return plain and parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc and port != 0


def _wrong(why: str, code: str) -> RequestError:
    return RequestError(why, code=code, errors=[FieldError("url", why)])


def _row(client: Client, action: str, endpoint: Endpoint) -> AuditRow:
    return AuditRow(at=datetime.now(UTC), who=client.name, action=action, outcome="done", detail=urlsplit(endpoint.url).hostname or "")
