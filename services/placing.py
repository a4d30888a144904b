"""Placing a call exactly as often as was meant: allowed, written down, dialled once, and looked for where Vapi's answer was lost."""

import asyncio
import logging
from bisect import bisect, insort
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from services.call import Call, CallOrder, CallStatus
from services.client import Client
from services.dial_guard import DialGuard, Slot
from services.errors import EarshotError, OutcomeUnknown
from services.journal import Dial, Journal, Limits, StoredAnswer
from services.lost_call import search_until_found
from services.phone_number import PhoneNumber, masked
from services.tasks import Tasks
from services.vapi.gateway import Gateway

log = logging.getLogger(__name__)

_DAY = timedelta(hours=24)
_SEARCH_PATIENCE = 6.0  # seconds for which whoever placed a call waits for a lost one to be found
_GONE_EVERY = 10.0  # seconds between looks for dials that another process left open when it died


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A client's idempotency key, and the fingerprint of the request that it came with."""

    text: str
    fingerprint: str


Placed = Call | StoredAnswer
"""What came of placing: a call, or the answer that the same idempotency key got before."""


class Placing:
    """The way of a call from an order to Vapi.

    `store` takes in a call of ours and gives it as known from then on; `rename` says that a call of unknown outcome has been found,
    `gone` that one was not, and can't be running any more: `longest` is what a call lasts at most, in seconds.
    `answer` is what the journal keeps for a repeated key.
    """

    def __init__(
        self,
        *,
        gateway: Gateway,
        journal: Journal,
        guard: DialGuard,
        limits: Limits,
        store: Callable[[Call], Call],
        rename: Callable[[str, str], None],
        gone: Callable[[str], None],
        longest: float,
        answer: Callable[[Call], StoredAnswer],
    ) -> None:
        self._gateway = gateway
        self._journal = journal
        self._guard = guard
        self._limits = limits
        self._store = store
        self._rename = rename
        self._gone = gone
        self._longest = longest
        self._answer = answer
        self._tasks = Tasks()
        self.dialled: list[datetime] = []
        """When the dials of the last 24 hours were begun that count towards the limits, oldest first."""

    async def start(self) -> None:
        """Takes up what a process before this one, or beside it, left open when it died."""
        self.dialled = await self._journal.dialled_since(datetime.now(UTC) - _DAY)
        self._tasks.start(self._take_over(), name="take over dials")

    async def aclose(self) -> None:
        await self._tasks.aclose()

    async def place(self, order: CallOrder, client: Client, *, key: Key | None = None, allow_duplicate: bool = False) -> Placed:
        """Places one call, or gives again what the key was answered before.

        Goes on to the end even if the caller is cancelled, so that no call is dialled and forgotten. Raises EarshotError when nothing was
        placed: what the guard, the journal's limits or Vapi say.
        """
        limits = replace(self._limits, duplicate_window=None) if allow_duplicate or key else self._limits
        work = self._place(order, client, key, limits)
        return await asyncio.shield(self._tasks.start(work, name="place call"))

    async def _place(self, order: CallOrder, client: Client, key: Key | None, limits: Limits) -> Placed:
        if key is None:
            await self._admit(order, client)
        begun = await self._journal.begin(
            order,
            client=client.name,
            key=key.text if key else None,
            fingerprint=key.fingerprint if key else None,
            limits=limits,
        )
        if begun.replay:
            return begun.replay
        self._count(begun.dial.dialled_at)
        try:
            if key:
                # Not before: an answer that was given is given again, whatever has been forbidden since.
                await self._admit(order, client)
            call = await self._dial(order, client)
        except EarshotError as error:
            self.dialled.remove(begun.dial.dialled_at)
            await self._journal.settle(order.tag, call=None, state="refused")
            await self._note(order, client.name, None, error.code)
            raise
        await self._note(order, client.name, call.id, call.status.value)
        return call

    def _count(self, at: datetime) -> None:
        del self.dialled[: bisect(self.dialled, at - _DAY)]
        insort(self.dialled, at)

    async def _admit(self, order: CallOrder, client: Client) -> None:
        await self._guard.admit(PhoneNumber(e164=order.to, region=order.region), client)

    async def _dial(self, order: CallOrder, client: Client) -> Call:
        with self._guard.slot() as slot:
            log.info("placing a call to %s for %s", masked(order.to), client.name)
            try:
                call = await self._gateway.create_call(order)
            except OutcomeUnknown as error:
                log.warning("Vapi's answer was lost (%s); looking for the call to %s", error.detail, masked(order.to))
                return await self._look_for(order, datetime.now(UTC), slot)
            call = self._store(_known(order, call))
            slot.hand_over()
        await self._settle(order, call, "placed")
        return call

    async def _look_for(self, order: CallOrder, asked_at: datetime, slot: Slot | None = None) -> Call:
        """The call of an order whose outcome is unknown: found within a few seconds, else as unknown while the search goes on."""
        unknown = self._store(_unknown(order, asked_at))
        if slot:
            slot.hand_over()
        search = self._tasks.start(self._search(unknown, order, asked_at), name="search call")
        try:
            async with asyncio.timeout(_SEARCH_PATIENCE):
                return await asyncio.shield(search) or unknown
        except TimeoutError:
            await self._settle(order, unknown, "unknown")
            return unknown

    async def _search(self, unknown: Call, order: CallOrder, asked_at: datetime) -> Call | None:
        found = await search_until_found(self._gateway, order, since=asked_at)
        if found is None:
            await self._settle(order, unknown, "lost")
            # Only the clock can prove that a call which was never seen has ended: Vapi ends each after the time that it was given.
            await asyncio.sleep(self._longest)
            self._gone(unknown.id)
            return None
        self._rename(unknown.id, found.id)
        call = self._store(_known(order, found))
        await self._settle(order, call, "placed")
        return call

    async def _take_over(self) -> None:
        while True:
            try:
                for dial in await self._journal.unsettled():
                    log.warning("a dial to %s was left open; looking for its call", masked(dial.order.to))
                    self._tasks.start(self._recover(dial), name="recover dial")
            except EarshotError as error:
                log.warning("dials that were left open could not be read (%s)", error.code)
            await asyncio.sleep(_GONE_EVERY)

    async def _recover(self, dial: Dial) -> None:
        await self._look_for(dial.order, dial.dialled_at)

    async def _settle(self, order: CallOrder, call: Call, state: str) -> None:
        try:
            await self._journal.settle(order.tag, call=call, state=state, answer=self._answer(call))  # type: ignore[arg-type]
        except EarshotError as error:
            # The call exists, and saying otherwise would have it dialled again: the journal finds it open at the next start.
            log.error("what became of a dial could not be written down (%s)", error.code)

    async def _note(self, order: CallOrder, who: str, call_id: str | None, outcome: str) -> None:
        try:
            await self._journal.note(who=who, action="dial", call_id=call_id, to=order.to, outcome=outcome)
        except EarshotError as error:
            log.error("the audit could not be written (%s)", error.code)


def _known(order: CallOrder, call: Call) -> Call:
    """Vapi's answer with what we know of our own order filled in, since Vapi may leave any of it out."""
    return replace(
        call,
        to=call.to or order.to,
        assistant_id=call.assistant_id or order.assistant_id,
        phone_number_id=call.phone_number_id or order.phone_number_id,
        name=call.name or order.name,
        tag=order.tag,
        created_at=call.created_at or datetime.now(UTC),
    )


def _unknown(order: CallOrder, asked_at: datetime) -> Call:
    return Call(
        id=f"unknown-{order.tag}",
        status=CallStatus.UNKNOWN,
        to=order.to,
        assistant_id=order.assistant_id,
        phone_number_id=order.phone_number_id,
        name=order.name,
        tag=order.tag,
        created_at=asked_at,
    )
