"""CallDesk: the one object that the page and the REST routes talk to. It places calls, knows their state, and ends them."""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from services.call import Call, CallOrder, CallStatus, ListenTarget, merge
from services.directory import Directory
from services.errors import CallNotFound, CallNotRunning, HangUpUnconfirmed, NotConfigured, NumberError, OutcomeUnknown
from services.hang_up import hang_up
from services.lost_call import search_until_found
from services.phone_number import masked, parse_phone_number
from services.signals import Signal
from services.tasks import Tasks
from services.vapi.ended_reasons import EndedReason, explain
from services.vapi.gateway import Gateway
from services.watcher import Watcher

log = logging.getLogger(__name__)

_SETTLING = 30.0  # seconds after its end in which a call's cost and summary are still awaited
_KEPT = 1000  # ended calls remembered
_SEARCH_PATIENCE = 6.0  # seconds for which whoever placed a call waits for a lost one to be found
_CATCH_UP_PATIENCE = 3.0  # seconds for which a list of calls waits for those that ran before
_HANG_UP_PATIENCE = 12.0  # seconds for which whoever ends a call waits for Vapi's word that it ended


class CallDesk:
    """All calls of this process. Ended calls leave memory oldest first; running ones never do.

    `gateway` is None while credentials are missing (`missing` names them): then every dial raises NotConfigured.
    `also_numbers` are taken as they are although no numbering plan knows them (the demo line's example).
    """

    def __init__(
        self,
        *,
        gateway: Gateway | None,
        assistant_id: str = "",
        phone_number_id: str = "",
        missing: tuple[str, ...] = (),
        also_numbers: frozenset[str] = frozenset(),
    ) -> None:
        self.changed: Signal[Call] = Signal()
        self.trouble_changed: Signal[str | None] = Signal()
        self.trouble: str | None = None
        self.missing = missing
        self.assistant_id = assistant_id
        self.phone_number_id = phone_number_id
        self.directory = Directory(gateway)
        self._gateway = gateway
        self._also_numbers = also_numbers
        self._calls: dict[str, Call] = {}
        self._renamed: dict[str, str] = {}
        self._ended_at: dict[str, float] = {}
        self._hanging_up: dict[str, asyncio.Task[Call]] = {}
        self._tasks = Tasks()
        self._watcher = Watcher(gateway=gateway, awaited=self._awaited, seen=self._seen, trouble=self._tell_trouble) if gateway else None

    async def start(self) -> None:
        """Begins watching, which first finds the calls that were running before this process."""
        if self._watcher:
            self._tasks.start(self._watcher.run(), name="watch calls")
            self._tasks.start(self.directory.load(), name="load directory")

    async def aclose(self) -> None:
        """Ends the desk's work. No phone call is cut by it."""
        await self._tasks.aclose()

    def calls(self) -> list[Call]:
        """Running and past calls, newest first."""
        start = datetime.min.replace(tzinfo=UTC)
        return sorted(self._calls.values(), key=lambda call: (call.created_at or start, call.id), reverse=True)

    async def caught_up(self) -> None:
        """Returns once the calls that ran before this process are known, or after a few seconds if Vapi does not tell."""
        if self._watcher:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CATCH_UP_PATIENCE):
                    await self._watcher.looked_back.wait()

    def get(self, call_id: str) -> Call | None:
        """The call as last read, without asking Vapi; also under the id it had while its outcome was unknown."""
        return self._calls.get(self._renamed.get(call_id, call_id))

    async def read(self, call_id: str) -> Call:
        """The call as last read; asks Vapi for one that is not known here. Raises CallNotFound, VapiError."""
        if call := self.get(call_id):
            return call
        if self._gateway is None:
            raise CallNotFound("There is no call with this id.")
        return await self._gateway.get_call(call_id)

    def look(self, _call_id: str) -> None:
        """Has Vapi read again at once, because something was heard of a call elsewhere (its live stream closed)."""
        if self._watcher:
            self._watcher.wake()

    def order(
        self,
        to: str,
        *,
        assistant_id: str | None = None,
        phone_number_id: str | None = None,
        name: str | None = None,
        first_message: str | None = None,
        variable_values: Mapping[str, Any] | None = None,
        max_duration_seconds: int | None = None,
        earliest_at: datetime | None = None,
        confirm_unlikely_number: bool = False,
    ) -> CallOrder:
        """All checks of a call, without placing it. Raises NumberError (`number_unlikely` unless confirmed) and NotConfigured."""
        number = parse_phone_number(to, also=self._also_numbers)
        if not number.likely and not confirm_unlikely_number:
            raise NumberError(
                f"{number.international} does not look like a number in use. Check the digits, and confirm it if it is right.",
                code="number_unlikely",
            )
        if self._gateway is None:
            raise NotConfigured(
                f"{' and '.join(self.missing)} {'is' if len(self.missing) == 1 else 'are'} missing. Set it and start again."
            )
        return CallOrder(
            to=number.e164,
            assistant_id=assistant_id or self.assistant_id,
            phone_number_id=phone_number_id or self.phone_number_id,
            tag=secrets.token_hex(8),
            name=name,
            first_message=first_message,
            variable_values=variable_values or {},
            max_duration_seconds=max_duration_seconds,
            earliest_at=earliest_at,
        )

    async def place(self, order: CallOrder) -> Call:
        """Places exactly one call. Its status is UNKNOWN if Vapi's answer was lost and the call was not found yet.

        Goes on to the end even if the caller is cancelled, so that no call is dialled and forgotten.
        Raises VapiError when nothing was placed.
        """
        return await asyncio.shield(self._tasks.start(self._place(order), name="place call"))

    async def end(self, call_id: str) -> Call:
        """Hangs up, and answers with the call once Vapi confirms that it ended; one that has ended already is answered as it is.

        Raises HangUpUnconfirmed while Vapi has not confirmed it (the desk keeps trying), CallNotRunning, CallNotFound, VapiError.
        """
        call = await self.read(call_id)
        if not call.running:
            return call
        if call.status is CallStatus.UNKNOWN:
            raise CallNotRunning("It is not known yet whether this call was placed. It can be ended as soon as it is found.")
        if call.status is CallStatus.SCHEDULED:
            raise CallNotRunning("This call is only scheduled. It can be ended once it rings, or be cancelled in the Vapi dashboard.")
        task = self._hanging_up.get(call.id)
        if task is None:
            task = self._hanging_up[call.id] = self._tasks.start(self._hang_up(call.id), name="hang up")
            task.add_done_callback(lambda _: self._hung_up(call.id))
            self.changed.emit(call)
        try:
            async with asyncio.timeout(_HANG_UP_PATIENCE):
                return await asyncio.shield(task)
        except TimeoutError:
            raise HangUpUnconfirmed(
                "Vapi has not confirmed that the call ended. Earshot keeps trying; the call may still be running."
            ) from None

    def why_ended(self, call: Call) -> EndedReason | None:
        """Why the call is over, in plain words with a next step; None while it runs."""
        return None if call.running else explain(call.ended_reason, call.ended_message)

    async def listen_target(self, call_id: str) -> ListenTarget:
        """Where the call's live sound is fetched; a secret, for the relay alone. Raises VapiError, CallNotFound."""
        if self._gateway is None:
            raise CallNotFound("There is no call with this id.")
        return await self._gateway.listen_target(call_id)

    def ending(self, call_id: str) -> bool:
        """Whether a hang-up is under way."""
        return call_id in self._hanging_up

    def _hung_up(self, call_id: str) -> None:
        del self._hanging_up[call_id]
        if call := self.get(call_id):
            self.changed.emit(call)

    async def _place(self, order: CallOrder) -> Call:
        assert self._gateway is not None  # noqa: S101 - order() has refused otherwise
        asked_at = datetime.now(UTC)
        log.info("placing a call to %s", masked(order.to))
        try:
            call = await self._gateway.create_call(order)
        except OutcomeUnknown as error:
            log.warning("Vapi's answer was lost (%s); looking for the call to %s", error.detail, masked(order.to))
            return await self._place_unknown(order, asked_at)
        return self._adopt(order, call)

    async def _place_unknown(self, order: CallOrder, asked_at: datetime) -> Call:
        unknown = Call(
            id=f"unknown-{order.tag}",
            status=CallStatus.UNKNOWN,
            to=order.to,
            assistant_id=order.assistant_id,
            phone_number_id=order.phone_number_id,
            name=order.name,
            tag=order.tag,
            created_at=asked_at,
        )
        self._store(unknown)
        search = self._tasks.start(self._search(unknown, order, asked_at), name="search call")
        try:
            async with asyncio.timeout(_SEARCH_PATIENCE):
                return await asyncio.shield(search) or unknown
        except TimeoutError:
            return unknown

    async def _search(self, unknown: Call, order: CallOrder, asked_at: datetime) -> Call | None:
        assert self._gateway is not None  # noqa: S101
        call = await search_until_found(self._gateway, order, since=asked_at)
        if call is None:
            return None
        self._renamed[unknown.id] = call.id
        self._calls.pop(unknown.id, None)
        return self._adopt(order, call)

    def _adopt(self, order: CallOrder, call: Call) -> Call:
        """Vapi's answer with what we know of our own order filled in, since Vapi may leave any of it out."""
        known = Call(
            id=call.id,
            status=call.status,
            to=order.to,
            assistant_id=order.assistant_id,
            phone_number_id=order.phone_number_id,
            tag=order.tag,
            created_at=datetime.now(UTC),
        )
        self._seen(merge(known, call, now=datetime.now(UTC)), ours=True)
        self.look(call.id)
        return self._calls[call.id]

    async def _hang_up(self, call_id: str) -> Call:
        assert self._gateway is not None  # noqa: S101
        call = await hang_up(self._gateway, call_id)
        self._seen(call, ours=True)
        return self.get(call_id) or call

    def _seen(self, call: Call, *, ours: bool = False) -> None:
        """Takes in what was read of a call. One that is not known here joins only while it runs: others' past is not ours to list."""
        known = self._calls.get(call.id)
        if known and not ours and (known.updated_at, known.status) == (call.updated_at, call.status) and call.updated_at:
            return
        if known is None:
            if not ours and not call.running:
                return
            known = call
        merged = merge(known, call, now=datetime.now(UTC))
        if merged != self._calls.get(call.id):
            self._store(merged)

    def _store(self, call: Call) -> None:
        self._calls[call.id] = call
        if not call.running and call.id not in self._ended_at:
            self._ended_at[call.id] = asyncio.get_running_loop().time()
            while len(self._ended_at) > _KEPT:
                oldest = next(iter(self._ended_at))
                del self._ended_at[oldest], self._calls[oldest]
        self.changed.emit(call)

    def _awaited(self) -> list[Call]:
        now = asyncio.get_running_loop().time()
        return [
            call
            for call in self._calls.values()
            if (call.running and call.status is not CallStatus.UNKNOWN)
            or (
                now - self._ended_at.get(call.id, now) < _SETTLING and (not call.cost or call.summary is None) and call.id in self._ended_at
            )
        ]

    def _tell_trouble(self, trouble: str | None) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self.trouble_changed.emit(trouble)
