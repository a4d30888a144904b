"""Places a call exactly once: checks it, writes it down, dials it, and searches for it if Vapi's answer was lost."""

import asyncio
import logging
import secrets
from bisect import bisect, insort
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, TypeVar

from services.desk.calls.proof import LATE
from services.desk.calls.watcher import LONGEST_CALL
from services.desk.placing.lost_call import search_until_found
from services.dialling.dial_guard import DialGuard
from services.dialling.reach import Destination
from services.domain.call import NEVER_FOUND, Call, CallOrder, CallStatus
from services.domain.client import Client
from services.domain.errors import ConsentNeeded, DuplicateRunningCall, EarshotError, Forbidden, OutcomeUnknown, ShuttingDown, Stopped
from services.domain.limits import Limits
from services.domain.phone_number import masked
from services.journal import AuditRow, DialState, Journal
from services.support.log_lines import about
from services.support.tasks import Tasks
from services.support.traces import span
from services.vapi.gateway import Gateway

log = logging.getLogger(__name__)
T = TypeVar("T")

_DAY = timedelta(hours=24)
_SEARCH_PATIENCE = 6.0  # seconds for which the client waits for a lost call to be found
_GONE_EVERY = 10.0  # seconds between checks for unfinished dials of dead processes


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A client's idempotency key, and the fingerprint of its request."""

    text: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A placed call. `replayed`: an earlier request with the same idempotency key placed it, and `call` is as it was then."""

    call: Call
    replayed: bool = False


class Placing:
    """Takes an order to Vapi.

    `store` saves a call and returns the stored version. `rename` is called when a call of unknown outcome has been found.
    `running_with` returns a running call with a number, whoever placed it. `prepare` applies the owner's rules to an order, or raises
    ConsentNeeded.
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
        running_with: Callable[[str], Call | None],
        prepare: Callable[[CallOrder], CallOrder] = lambda order: order,
    ) -> None:
        self._gateway = gateway
        self._journal = journal
        self._guard = guard
        self._limits = limits
        self._store = store
        self._rename = rename
        self._running_with = running_with
        self._prepare = prepare
        self._tasks = Tasks()
        self._in_flight: Counter[str] = Counter()  # the tags of the dials that this process works on
        self.dialled: list[datetime] = []
        """The times of the dials in the last 24 hours that count towards the limits, oldest first."""

    async def start(self) -> None:
        """Resumes dials that another process left unfinished when it died."""
        await self._read_dialled()
        self._tasks.keep(self._take_over, name="take over dials")

    async def aclose(self) -> None:
        """Breaks off dials and searches. A dial that Vapi has not answered yet returns with an unknown outcome; another process, or the
        next start, continues to search for its call.
        """
        await self._tasks.aclose()

    async def place(
        self, order: CallOrder, client: Client, *, key: Key | None = None, allow_duplicate: bool = False, allow_recent: bool = False
    ) -> Placed:
        """Places one call, or returns the one that the key placed before. With `allow_recent` the number may have been called a moment ago,
        with `allow_duplicate` it may also have a running call.

        Runs to completion even if the caller is cancelled, so that a dialled call is never forgotten. Raises EarshotError if nothing was
        placed.
        """
        limits = self._limits.of(client)
        if allow_duplicate or allow_recent or key:
            limits = replace(limits, duplicate_window=None)
        if allow_duplicate:
            limits = replace(limits, one_per_number=False)
        order = await self._prepared(replace(order, placed_by=client.name, by_machine=client.machine), client, key)
        work = self._while_in_flight(order.tag, partial(self._traced, order, client, key, limits))
        placing = self._tasks.start(work, name="place call")
        try:
            return await asyncio.shield(placing)
        except asyncio.CancelledError:
            if placing.cancelled():
                raise ShuttingDown("Earshot stopped before the call was dialled.", retry_after=5) from None
            raise

    async def _traced(self, order: CallOrder, client: Client, key: Key | None, limits: Limits) -> Placed:
        with span("place call") as traced:
            placed = await self._place(order, client, key, limits)
            traced.note({"earshot.call_id": placed.call.id, "earshot.status": placed.call.status, "earshot.replayed": placed.replayed})
            return placed

    async def _prepared(self, order: CallOrder, client: Client, key: Key | None) -> CallOrder:
        try:
            return self._prepare(order)
        except ConsentNeeded:
            if key is None or not await self._journal.has_key(client.name, key.text):
                raise
            # A repeated request gets its first answer, even if the rules ask for consent since. If the key expires before the dial is
            # written, the call is placed and not recorded.
            return self._prepare(replace(order, recording_agreed=False))

    async def _place(self, order: CallOrder, client: Client, key: Key | None, limits: Limits) -> Placed:
        if key is None:
            # With a key, look it up first: a repeated request gets its first answer even if the rules have changed since.
            await self._admit(order, client, limits)
        begun = await self._journal.begin(
            order,
            client=client.name,
            key=key.text if key else None,
            fingerprint=key.fingerprint if key else None,
            limits=limits,
        )
        if begun.replay:
            return Placed(call=begun.replay, replayed=True)
        self._count(begun.dial.dialled_at)
        try:
            # Again, because dialling may have been stopped during the write.
            self._check(order, client, limits)
            # Again: writing the dial has brought rules that another process has just changed.
            order = self._prepare(order)
            return Placed(call=await self._dial(order, client))
        except asyncio.CancelledError:
            # By `aclose`: Vapi may have placed the call, so the client must learn that it must not be dialled again.
            unknown = _unknown(order, begun.dial.dialled_at)
            await self._settle(order, client.name, unknown, DialState.UNKNOWN)
            return Placed(call=unknown)
        except EarshotError as error:
            with suppress(ValueError):
                self.dialled.remove(begun.dial.dialled_at)
            await self._journal.settle(order.tag, call=None, state="refused", note=_note(order, client.name, None, error.code))
            raise

    async def count_transfer(self, call: Call, destination: Destination, client: Client) -> None:
        """Counts an imminent transfer, by number or by SIP, as a dial. Raises LimitReached, JournalError."""
        order = CallOrder(
            to=destination.rings,
            region=destination.number.region if destination.number else None,
            assistant_id=call.assistant_id or "",
            phone_number_id=call.phone_number_id or "",
            tag=secrets.token_hex(8),
        )
        self._count(await self._journal.count_transfer(order, client=client.name, call_id=call.id, limits=self._limits.of(client)))

    async def weigh(self, order: CallOrder, client: Client, *, allow_duplicate: bool = True, instead_of: str | None = None) -> None:
        """Raises what `place` would raise now, as far as that is known without dialling. `instead_of` is the tag of a scheduled call that
        will have been cancelled by then.
        """
        limits = self._limits.of(client)
        if allow_duplicate:
            limits = replace(limits, duplicate_window=None, one_per_number=False)
        await self._admit(order, client, limits)
        order = self._prepare(order)
        await self._journal.weigh(order, client=client.name, limits=limits, instead_of=instead_of)

    async def _read_dialled(self) -> None:
        """Reads the dials of all processes. Keeps dials that started here during the read."""
        found = await self._journal.dialled_since(datetime.now(UTC) - _DAY)
        self.dialled = found + [at for at in self.dialled if not found or at > found[-1]]

    def _count(self, at: datetime) -> None:
        del self.dialled[: bisect(self.dialled, at - _DAY)]
        insort(self.dialled, at)

    def _check(self, order: CallOrder, client: Client, limits: Limits) -> None:
        self._guard.check(order.number, client)
        # The journal judges what was placed through Earshot; calls of other systems only this process knows, and its own lost ones.
        if limits.one_per_number and (running := self._running_with(order.to)) and running.tag != order.tag:
            raise DuplicateRunningCall(call_id=running.id)

    async def _admit(self, order: CallOrder, client: Client, limits: Limits) -> None:
        try:
            self._check(order, client, limits)
        except (Stopped, Forbidden):
            await self._journal.catch_up()  # another process may just have lifted it
            self._check(order, client, limits)

    async def _dial(self, order: CallOrder, client: Client) -> Call:
        log.info("placing a call to %s for %s", masked(order.to), client.name)
        try:
            call = await self._gateway.create_call(order)
        except OutcomeUnknown as error:
            log.warning("Vapi's answer was lost (%s); searching for the call to %s", error.detail, masked(order.to))
            return await self._look_for(order, client.name, datetime.now(UTC))
        call = self._store(_known(order, call))
        log.info("placed the call to %s", masked(order.to), extra=about(call.id))
        await self._settle(order, client.name, call, DialState.PLACED)
        return call

    async def _look_for(self, order: CallOrder, who: str, asked_at: datetime) -> Call:
        """The call of an order of unknown outcome: the found call, or after a few seconds the unknown one while the search continues."""
        unknown = self._store(_unknown(order, asked_at))
        work = self._while_in_flight(order.tag, partial(self._search, unknown, order, who, asked_at))
        search = self._tasks.start(work, name="search call")
        try:
            async with asyncio.timeout(_SEARCH_PATIENCE):
                return await asyncio.shield(search) or unknown
        except TimeoutError:
            await self._settle(order, who, unknown, DialState.UNKNOWN)
            return unknown

    async def _search(self, unknown: Call, order: CallOrder, who: str, asked_at: datetime) -> Call | None:
        found = await search_until_found(self._gateway, order, since=asked_at)
        if found is None:
            # Only time proves that a call we never saw is over: Vapi ends every call after the maximum duration of its order. Until then
            # the dial stays open in the journal, so that it keeps its slot over restarts and for all processes.
            longest = LONGEST_CALL if order.max_duration_seconds is None else timedelta(seconds=order.max_duration_seconds)
            over = max(asked_at, order.earliest_at or asked_at, order.latest_at or asked_at) + longest + LATE
            await asyncio.sleep((over - datetime.now(UTC)).total_seconds())
            await self._settle(order, who, unknown, DialState.LOST)
            self._store(replace(unknown, status=CallStatus.ENDED, ended_reason=NEVER_FOUND))
            return None
        self._rename(unknown.id, found.id)
        call = self._store(_known(order, found))
        await self._settle(order, who, call, DialState.PLACED)
        return call

    async def _take_over(self) -> None:
        for turn in count():
            try:
                for dial in await self._journal.unsettled(self._in_flight):
                    log.warning("unfinished dial to %s; searching for its call", masked(dial.order.to))
                    search = partial(self._look_for, dial.order, dial.client, dial.dialled_at)
                    self._tasks.start(self._while_in_flight(dial.order.tag, search), name="recover dial")
                if turn:  # `start` has just read them
                    await self._read_dialled()
            except EarshotError as error:
                log.warning("could not read unfinished dials (%s)", error.code)
            await asyncio.sleep(_GONE_EVERY)

    async def _while_in_flight(self, tag: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Runs `work` on a dial. Work on one dial may overlap: a search begins during the request and continues after it."""
        self._in_flight[tag] += 1
        try:
            return await work()
        finally:
            self._in_flight[tag] -= 1
            if not self._in_flight[tag]:
                del self._in_flight[tag]

    async def _settle(self, order: CallOrder, who: str, call: Call, state: DialState) -> None:
        note = _note(order, who, call.id, DialState.LOST if state is DialState.LOST else call.status)
        await self._journal.settle(order.tag, call=call, state=state, note=note)


def _note(order: CallOrder, who: str, call_id: str | None, outcome: str) -> AuditRow:
    return AuditRow(at=datetime.now(UTC), who=who, action="dial", call_id=call_id, to=order.to, outcome=outcome)


def _known(order: CallOrder, call: Call) -> Call:
    """Vapi's answer, completed from our own order, because Vapi may omit fields."""
    ordered = _unknown(order, datetime.now(UTC))
    return replace(
        call,
        to=call.to or ordered.to,
        sip_uri=call.sip_uri or ordered.sip_uri,
        customer_name=call.customer_name or ordered.customer_name,
        external_id=call.external_id or ordered.external_id,
        assistant_id=call.assistant_id or ordered.assistant_id,
        squad_id=call.squad_id or ordered.squad_id,
        phone_number_id=call.phone_number_id or ordered.phone_number_id,
        name=call.name or ordered.name,
        tag=ordered.tag,
        max_duration_seconds=call.max_duration_seconds or ordered.max_duration_seconds,
        earliest_at=call.earliest_at or ordered.earliest_at,
        latest_at=call.latest_at or ordered.latest_at,
        placed_by=ordered.placed_by,
        by_machine=ordered.by_machine,
        consent=ordered.consent,
        created_at=call.created_at or ordered.created_at,
    )


def _unknown(order: CallOrder, asked_at: datetime) -> Call:
    return Call(
        id=f"unknown-{order.tag}",
        status=CallStatus.UNKNOWN,
        to=order.number.e164 if order.number else None,
        sip_uri=order.sip_uri,
        customer_name=order.customer_name,
        external_id=order.external_id,
        assistant_id=order.assistant_id or None,
        squad_id=order.squad_id,
        phone_number_id=order.phone_number_id,
        name=order.name,
        tag=order.tag,
        max_duration_seconds=order.max_duration_seconds,
        earliest_at=order.earliest_at,
        latest_at=order.latest_at,
        placed_by=order.placed_by,
        by_machine=order.by_machine,
        consent=order.consent,
        created_at=asked_at,
    )
