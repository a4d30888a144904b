"""Moves a scheduled call to another time. Vapi can't change a call's time, so the call is cancelled, and once that is proven placed anew.

Nobody is rung twice: the tag of the new order follows from that of the old one, and the journal takes each tag once, from whichever client
and process. If the new call was not placed, because Earshot was killed or Vapi refused, the same request goes on where it stopped.
Only a kill between the deletion at Vapi and the read that proves it leaves neither call: one that is merely gone is not placed anew, since
somebody else may have cancelled it.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from services.desk.placing.orders import Orders
from services.desk.placing.placing import Placed, Placing
from services.domain.call import CANCELLED, Call, CallStatus
from services.domain.client import Client
from services.domain.errors import CallNotScheduled, EarshotError, KeyInProgress
from services.journal import Dial, DialState, Journal
from services.support.rfc3339 import rfc3339

ACTION = "reschedule"
"""The action of the audit. Its detail is the new time."""

_MARGIN = timedelta(seconds=30)
"""Before its time. Later, a call may begin between the proof that it has not and its cancellation."""
_MOST_ATTEMPTS = 20


class Note(Protocol):
    def __call__(self, client: Client, action: str, call: Call, *, outcome: str = "", detail: str = "") -> asyncio.Task[None]: ...


class Rescheduling:
    """`end` cancels a call and returns it once that is proven. `current` returns a call as last read. `settled` returns once all that was
    read is written.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        orders: Orders,
        placing: Placing,
        end: Callable[[str, Client], Awaitable[Call]],
        note: Note,
        current: Callable[[str], Awaitable[Call | None]],
        settled: Callable[[], Awaitable[None]],
    ) -> None:
        self._journal = journal
        self._orders = orders
        self._placing = placing
        self._end = end
        self._note = note
        self._current = current
        self._settled = settled

    async def reschedule(self, call: Call, earliest_at: datetime, latest_at: datetime | None, client: Client) -> Placed:
        """The call in the place of `call`, or the one that an earlier request for these times placed.

        Raises CallNotScheduled, HangUpUnconfirmed if the cancelling is not proven yet, and what placing a call raises.
        """
        asked = await self._journal.dial(call.tag) if call.tag and not call.erasure else None
        if call.tag is None or asked is None:
            raise CallNotScheduled("Earshot did not schedule this call, so it does not know its options. Cancel it, and place a new one.")
        tag, before = await self._next_tag(call.tag)
        detail = _times(earliest_at, latest_at)
        if before:
            return await self._again(before, detail)
        order = self._orders.moved(asked.order, tag=tag, earliest_at=earliest_at, latest_at=latest_at)
        if not await self._cancelled_for(call, detail):
            _require_time(call)
            await self._placing.weigh(order, client, instead_of=call.tag)
            await asyncio.shield(self._note(client, ACTION, call, outcome="asked", detail=detail))
            ended = await self._end(call.id, client)
            if ended.ended_reason != CANCELLED:
                raise CallNotScheduled("The call began, or was cancelled, before it could be moved. No new one was placed.")
            if _may_begin(call):
                raise CallNotScheduled("The call was cancelled so close to its time that it may have rung. No new one was placed.")
            await self._settled()  # the old call's slot is free now
        try:
            return await self._placing.place(order, client, allow_duplicate=True)
        except KeyInProgress:  # another request, which came at the same time, places it
            raise
        except EarshotError as error:
            error.detail = f"The call was cancelled, but not placed anew: {error.detail} The same request places it."
            raise

    async def _next_tag(self, tag: str) -> tuple[str, Dial | None]:
        """The tag for the new order, and its dial unless there is none. Where nothing was placed, another tag follows."""
        for attempt in range(_MOST_ATTEMPTS):
            follows = hashlib.sha256(f"{tag} rescheduled {attempt}".encode()).hexdigest()[:16]
            dial = await self._journal.dial(follows)
            if dial is None or dial.state is not DialState.REFUSED:
                return follows, dial
        raise CallNotScheduled("This call could not be placed anew for too many times. Place a new one.")

    async def _again(self, dial: Dial, detail: str) -> Placed:
        if _times(dial.order.earliest_at, dial.order.latest_at) != detail:
            raise CallNotScheduled("This call was moved to another time before. Move the call that took its place.")
        found = await self._current(dial.shown_id)
        if found is None:
            raise KeyInProgress("The first request to move this call is still running. Try again in a moment.", retry_after=1)
        return Placed(call=found, replayed=True)

    async def _cancelled_for(self, call: Call, detail: str) -> bool:
        """True if an earlier request for these times has cancelled the call in time, and placed no new one."""
        if call.ended_reason != CANCELLED or _may_begin(call):
            return False
        return any(row.detail == detail for row in await self._journal.audit(call_id=call.id, actions=(ACTION,)))


def _times(earliest_at: datetime | None, latest_at: datetime | None) -> str:
    return f"{rfc3339(earliest_at)}/{rfc3339(latest_at) or ''}"


def _require_time(call: Call) -> None:
    if call.status is not CallStatus.SCHEDULED:
        raise CallNotScheduled("Only a call that is still scheduled can be moved.")
    if _may_begin(call):
        raise CallNotScheduled("This call may begin at any moment. Cancel it, and place a new one.")


def _may_begin(call: Call) -> bool:
    return call.earliest_at is None or datetime.now(UTC) > call.earliest_at - _MARGIN
