"""Whether a client may control a call: any, or only those that it placed."""

import asyncio
from collections.abc import Awaitable, Callable

from services.domain.call import Call
from services.domain.client import Client, Scope
from services.domain.errors import Forbidden, JournalError
from services.domain.permissions import require
from services.journal import Dial

_PATIENCE_S = 2.0  # a database that hangs is given up after 10 s: too late for a hang-up


class CallRights:
    """`dial` reads the dial of a tag, which says who placed a call. Raises JournalError."""

    def __init__(self, dial: Callable[[str], Awaitable[Dial | None]]) -> None:
        self._dial = dial

    async def check(self, call: Call, client: Client, *scopes: Scope) -> None:
        """Raises Forbidden (`forbidden_scope`, `not_your_call`) unless the client has one of `scopes`, and may use it for this call."""
        require(client, *scopes)
        if client.own_calls_only and not await self._placed(call, client):
            raise Forbidden("Your role allows this only for calls that you placed.", code="not_your_call")

    async def check_end(self, call: Call, client: Client) -> None:
        """The same for hanging up, which must not wait for the journal: while it can't be read, whoever has the name of the placer may."""
        try:
            await self.check(call, client, Scope.CONTROL)
        except JournalError:
            if call.placed_by != client.name:
                raise

    async def may_control(self, call: Call, client: Client) -> bool:
        """Raises JournalError."""
        if Scope.CONTROL not in client.scopes:
            return False
        return not client.own_calls_only or await self._placed(call, client)

    async def _placed(self, call: Call, client: Client) -> bool:
        dial = await self._read(call.tag) if call.tag else None
        # By id too: somebody who was removed may have had this name. None: an earlier version wrote no id.
        return dial is not None and dial.client == client.name and dial.person in (client.person, None)

    async def _read(self, tag: str) -> Dial | None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._dial(tag)
        except TimeoutError:
            raise JournalError(f"The journal has not answered within {_PATIENCE_S:g} seconds.") from None
