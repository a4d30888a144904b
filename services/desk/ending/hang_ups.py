"""Runs at most one hang-up per call, however many clients ask for it. It continues if they disconnect."""

import asyncio
from collections.abc import Callable

from services.desk.ending.cancel import cancel
from services.desk.ending.hang_up import hang_up
from services.domain.call import Call, CallStatus
from services.domain.errors import CallNotRunning, HangUpUnconfirmed
from services.support.tasks import Tasks
from services.vapi.gateway import Gateway

_PATIENCE = 12.0  # seconds for which a client waits for Vapi to confirm the end


class HangUps:
    """The pending hang-ups. `take` saves an ended call; `changed` is called with a call's id when its hang-up starts and finishes."""

    def __init__(self, *, gateway: Gateway, take: Callable[[Call], Call], changed: Callable[[str], None]) -> None:
        self._gateway = gateway
        self._take = take
        self._changed = changed
        self._under_way: dict[str, asyncio.Task[Call]] = {}
        self._tasks = Tasks()

    def __contains__(self, call_id: str) -> bool:
        return call_id in self._under_way

    async def aclose(self) -> None:
        await self._tasks.aclose()

    def begin(self, call: Call) -> asyncio.Task[Call]:
        """The hang-up of a call, or the cancelling of a scheduled one, started if none is pending. Returns the ended call or raises
        HangUpUnconfirmed. Raises CallNotRunning.
        """
        if call.status is CallStatus.UNKNOWN:
            raise CallNotRunning("Earshot is still checking whether this call was placed. It can be ended once it is found.")
        task = self._under_way.get(call.id)
        if task is None:
            task = self._under_way[call.id] = self._tasks.start(self._hang_up(call), name="hang up")
            task.add_done_callback(lambda _: self._over(call.id))
            self._changed(call.id)
        return task

    async def confirmed(self, hanging_up: asyncio.Task[Call]) -> Call:
        """Waits for the ended call. Raises HangUpUnconfirmed if that takes too long; the hang-up continues."""
        try:
            async with asyncio.timeout(_PATIENCE):
                return await asyncio.shield(hanging_up)
        except TimeoutError:
            raise HangUpUnconfirmed(
                "Vapi has not confirmed that the call ended. Earshot keeps trying. The call may still be running."
            ) from None

    async def _hang_up(self, call: Call) -> Call:
        scheduled = call.status is CallStatus.SCHEDULED
        return self._take(await (cancel(self._gateway, call) if scheduled else hang_up(self._gateway, call.id)))

    def _over(self, call_id: str) -> None:
        del self._under_way[call_id]
        self._changed(call_id)
