"""Deletes a call's data, here at once and at Vapi as soon as Vapi confirms it. Never that of a call that may still be running."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from services.domain.call import Call, Erasure, merge
from services.domain.client import Client
from services.domain.errors import CallNotFound, CallRunning, EarshotError, VapiError
from services.journal import AuditRow, Journal
from services.support.log_lines import about
from services.support.tasks import Tasks
from services.vapi.gateway import Gateway

log = logging.getLogger(__name__)

ACTION = "delete-data"
"""The action of the audit, once with the outcome `asked`, and once with `deleted` or `not-found` by Vapi."""

_PATIENCE_S = 8.0  # how long a request waits for Vapi to confirm
_AGAIN_S = 30.0  # between attempts at what Vapi has not confirmed
_RUNNING = "Only the data of a call that has ended can be deleted: deleting does not hang up. End or cancel the call first."


class Erasures:
    """The erasures that are asked for are in the journal, so that any process goes on with them. Asking Vapi twice is harmless.

    `take` shows what is left of a call.
    """

    def __init__(self, *, gateway: Gateway, journal: Journal, take: Callable[[Call], Call]) -> None:
        self._gateway = gateway
        self._journal = journal
        self._take = take
        self._under_way: dict[str, asyncio.Task[Call | None]] = {}
        self._tasks = Tasks()

    async def erase(self, call: Call, client: Client) -> Call:
        """Deletes a call's data. Returns what is left of the call; until `erasure.confirmed_at` is set Vapi may still have its part.

        Raises CallRunning for a call that has not ended, and JournalError if nothing was deleted.
        """
        if call.running:
            raise CallRunning(_RUNNING)
        if call.erasure is None:
            call = await self._begin(await self._last_read(call), client)
        if call.erasure is None or call.erasure.confirmed_at:
            return call
        deleting = self._delete(call.id, call.erasure)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await asyncio.shield(deleting) or call
        except TimeoutError:
            return call
        except EarshotError as error:
            log.warning("Vapi has not confirmed that a call's data is deleted (%s); trying again", error.code, extra=about(call.id))
            return call

    async def run(self) -> None:
        """Asks Vapi again, until it confirms, until cancelled."""
        while True:
            try:
                for call_id, erasure in await self._journal.erasures.pending():
                    await self._delete_again(call_id, erasure)
            except EarshotError as error:
                log.warning("could not read which data is to be deleted (%s)", error.code)
            await asyncio.sleep(_AGAIN_S)

    async def aclose(self) -> None:
        await self._tasks.aclose()

    async def _last_read(self, call: Call) -> Call:
        """The call with what Vapi knows of it: its costs stay. Raises CallRunning if it runs after all."""
        try:
            seen = await self._gateway.get_call(call.id)
        except (CallNotFound, VapiError):
            return call
        if seen.running:
            raise CallRunning(f"Vapi says that this call is running. {_RUNNING}")
        return merge(call, seen, now=datetime.now(UTC))

    async def _begin(self, call: Call, client: Client) -> Call:
        erasure = Erasure(asked_at=datetime.now(UTC), by=client.name)
        return self._take(await self._journal.erasures.begin(call, erasure, _note(call.id, client.name, "asked")))

    def _delete(self, call_id: str, erasure: Erasure) -> asyncio.Task[Call | None]:
        """The deletion at Vapi, started if none is under way."""
        task = self._under_way.get(call_id)
        if task is None:
            task = self._under_way[call_id] = self._tasks.start(self._delete_at_vapi(call_id, erasure), name="delete data")
            task.add_done_callback(lambda _: self._under_way.pop(call_id, None))
        return task

    async def _delete_again(self, call_id: str, erasure: Erasure) -> None:
        try:
            await asyncio.shield(self._delete(call_id, erasure))
        except EarshotError as error:
            log.warning("Vapi has not confirmed that a call's data is deleted (%s); trying again later", error.code, extra=about(call_id))
        except Exception:
            # It must not hold up the others, which are asked for after it each time.
            log.exception("could not delete a call's data at Vapi; trying again later", extra=about(call_id))

    async def _delete_at_vapi(self, call_id: str, erasure: Erasure) -> Call | None:
        """The call once Vapi has confirmed the deletion; None if the call is running after all."""
        outcome = "deleted"
        try:
            if call_id.startswith("unknown-"):  # Earshot's own id of a call that Vapi never showed
                raise CallNotFound
            if (await self._gateway.get_call(call_id)).running:
                log.warning("the data of a call is not deleted at Vapi yet, because the call is running", extra=about(call_id))
                return None
            await self._gateway.delete_call(call_id)
        except CallNotFound:
            outcome = "not-found"  # also after an attempt whose answer was lost
        call = await self._journal.erasures.confirm(call_id, _note(call_id, erasure.by, outcome))
        return self._take(call) if call else None


def _note(call_id: str, who: str, outcome: str) -> AuditRow:
    return AuditRow(at=datetime.now(UTC), who=who, action=ACTION, call_id=call_id, outcome=outcome)
