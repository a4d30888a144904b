"""CallDesk: the one object that the page and the REST routes talk to. It places calls, knows their state, and ends them."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from services.call import Call, CallOrder, CallStatus, ListenTarget, merge
from services.client import Client
from services.control import Action, Control
from services.dial_guard import DialGuard
from services.directory import Directory
from services.elsewhere import follow_elsewhere
from services.errors import (
    CallNotFound,
    CallNotRunning,
    EarshotError,
    FieldError,
    HangUpUnconfirmed,
    NotConfigured,
    NumberError,
    RequestError,
)
from services.hang_up import hang_up
from services.journal import Journal, Limits, StoredAnswer
from services.phone_number import PhoneNumber, parse_phone_number
from services.placing import Key, Placed, Placing
from services.signals import Signal
from services.tasks import Tasks
from services.vapi.ended_reasons import EndedReason, explain
from services.vapi.gateway import Gateway
from services.watcher import Watcher

log = logging.getLogger(__name__)

_SETTLING = 30.0  # seconds after its end in which a call's cost and summary are still awaited
_KEPT = 1000  # ended calls in memory; the journal has them all
_CATCH_UP_PATIENCE = 3.0  # seconds for which a list of calls waits for those that ran before
_HANG_UP_PATIENCE = 12.0  # seconds for which whoever ends a call waits for Vapi's word that it ended


class CallDesk:
    """All calls of this installation. Ended ones leave memory oldest first and stay in the journal.

    `gateway` is None while credentials are missing (`missing` names them): then every dial raises NotConfigured.
    `guard` is given how many calls run and says which may be placed; `limits` are the caps that the journal keeps.
    `max_call_seconds` is the longest that any call may be asked to last, and what every call is given.
    `also_numbers` are taken as they are although no numbering plan knows them (the demo line's example).
    `answer` gives what a repeated idempotency key is answered.
    """

    def __init__(
        self,
        *,
        gateway: Gateway | None,
        journal: Journal,
        guard: Callable[["CallDesk"], DialGuard],
        answer: Callable[["CallDesk", Call], StoredAnswer],
        limits: Limits,
        assistant_id: str = "",
        phone_number_id: str = "",
        max_call_seconds: int = 600,
        missing: tuple[str, ...] = (),
        also_numbers: frozenset[str] = frozenset(),
    ) -> None:
        self.changed: Signal[Call] = Signal()
        self.trouble_changed: Signal[str | None] = Signal()
        self.trouble: str | None = None
        self.missing = missing
        self.assistant_id = assistant_id
        self.phone_number_id = phone_number_id
        self.max_call_seconds = max_call_seconds
        self.directory = Directory(gateway)
        self.guard = guard(self)
        self.journal = journal
        self.limits = limits
        self._gateway = gateway
        self._also_numbers = also_numbers
        self._calls: dict[str, Call] = {}
        self._running: set[str] = set()
        self._renamed: dict[str, str] = {}
        self._ended_at: dict[str, float] = {}
        self._hanging_up: dict[str, asyncio.Task[Call]] = {}
        self._tasks = Tasks()
        self._watcher = Watcher(gateway=gateway, awaited=self._awaited, seen=self._seen, trouble=self._tell_trouble) if gateway else None
        self._placing = (
            Placing(
                gateway=gateway,
                journal=journal,
                guard=self.guard,
                limits=limits,
                store=self._take_ours,
                rename=self._rename,
                gone=self._running.discard,
                longest=max_call_seconds,
                answer=lambda call: answer(self, call),
            )
            if gateway
            else None
        )

    async def start(self) -> None:
        """Takes up the calls that ran before this process, and the dials that were left open; from then on all are watched."""
        if self._watcher and self._placing:
            for call in await self.journal.running():
                self._take_up(call)
            self._tasks.start(follow_elsewhere(self.journal, self._running, self._take_up), name="follow other processes")
            self._tasks.start(self._watcher.run(), name="watch calls")
            self._tasks.start(self.directory.load(), name="load directory")
            await self._placing.start()

    async def aclose(self) -> None:
        """Ends the desk's work. No phone call is cut by it."""
        if self._placing:
            await self._placing.aclose()
        await self._tasks.aclose()

    @property
    def running(self) -> int:
        """How many calls are not proven to have ended, those of unknown outcome among them."""
        return len(self._running)

    def calls(self) -> list[Call]:
        """Running calls and the latest past ones, newest first."""
        start = datetime.min.replace(tzinfo=UTC)
        return sorted(self._calls.values(), key=lambda call: (call.created_at or start, call.id), reverse=True)

    async def page_of_calls(
        self,
        *,
        statuses: Iterable[CallStatus] | None = None,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> list[Call]:
        """Calls from the journal, newest first, each as last read. `before` is the time and id of the last one of the page before."""
        await self.caught_up()
        found = await self.journal.calls(statuses=statuses, created_from=created_from, created_to=created_to, before=before, limit=limit)
        return [self._calls.get(call.id, call) for call in found]

    def get(self, call_id: str) -> Call | None:
        """The call as last read, without asking anybody; also under the id it had while its outcome was unknown."""
        return self._calls.get(self._renamed.get(call_id, call_id))

    async def read(self, call_id: str) -> Call:
        """The call as last read; asks the journal, then Vapi, for one not known here. Raises CallNotFound, VapiError, JournalError."""
        if call := self.get(call_id) or await self.journal.get(call_id):
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
        """What is asked of Vapi. Raises NumberError (`number_unlikely` unless confirmed), RequestError, NotConfigured."""
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
        if max_duration_seconds is not None and max_duration_seconds > self.max_call_seconds:
            detail = f"At most {self.max_call_seconds} seconds (EARSHOT_MAX_CALL_SECONDS)."
            raise RequestError(f"maxDurationSeconds: {detail}", errors=[FieldError("maxDurationSeconds", detail)])
        return CallOrder(
            to=number.e164,
            region=number.region,
            assistant_id=assistant_id or self.assistant_id,
            phone_number_id=phone_number_id or self.phone_number_id,
            tag=secrets.token_hex(8),
            name=name,
            first_message=first_message,
            variable_values=variable_values or {},
            max_duration_seconds=max_duration_seconds or self.max_call_seconds,
            earliest_at=earliest_at,
        )

    def check(self, order: CallOrder, client: Client) -> None:
        """Whether it may be dialled, by what is known at this moment. Raises what the dial guard says."""
        self.guard.check(PhoneNumber(e164=order.to, region=order.region), client)

    async def weigh(self, order: CallOrder, client: Client) -> None:
        """As `check`, by all that can be found out without dialling. Raises what the dial guard and the limits say."""
        if self._placing is None:
            raise NotConfigured("No call can be placed until the credentials are there.")
        await self.directory.known()
        await self._placing.weigh(order, client)

    async def place(self, order: CallOrder, client: Client, *, key: Key | None = None, allow_duplicate: bool = False) -> Placed:
        """Places exactly one call, or gives again what the key was answered before; its status is UNKNOWN if Vapi's answer was lost.

        Raises EarshotError when nothing was placed: what the dial guard, the limits, the journal or Vapi say.
        """
        if self._placing is None:
            raise NotConfigured("No call can be placed until the credentials are there.")
        await self.directory.known()
        return await self._placing.place(order, client, key=key, allow_duplicate=allow_duplicate)

    async def end(self, call_id: str, client: Client) -> Call:
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
        self.note(client, "end", call)
        try:
            async with asyncio.timeout(_HANG_UP_PATIENCE):
                return await asyncio.shield(task)
        except TimeoutError:
            raise HangUpUnconfirmed(
                "Vapi has not confirmed that the call ended. Earshot keeps trying; the call may still be running."
            ) from None

    def dialled(self) -> Sequence[datetime]:
        """When the calls of the last 24 hours were dialled that count towards the limits, oldest first."""
        return self._placing.dialled if self._placing else ()

    async def control(self, call_id: str, control: Control, client: Client) -> Call:
        """Tells a running call something, and answers with the call once Vapi took it. A transfer goes through the dial guard.

        Raises CallNotRunning, CallNotFound, RequestError, NumberError, VapiError, and what the dial guard says.
        """
        call = await self.read(call_id)
        if not call.running or not call.answered or self._gateway is None:
            raise CallNotRunning("Only a call that was answered and has not ended can be told something.")
        if control.action is Action.TRANSFER:
            number = control.called(also=self._also_numbers)
            await self.guard.admit_destination(number, client)
            control = replace(control, destination=number.e164) if number and not control.by_sip else control
        message = control.message()
        try:
            await self._gateway.control(call.id, message)
        except EarshotError as error:
            # It may have reached Vapi all the same.
            await asyncio.shield(self.note(client, control.action.value, call, outcome=error.code))
            raise
        await asyncio.shield(self.note(client, control.action.value, call))
        return call

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

    def note(self, client: Client, action: str, call: Call | None = None, *, outcome: str = "") -> asyncio.Task[None]:
        """Has it written into the audit that `client` did something with a call, or with all of them; done when the task is."""
        call_id, to, status = (call.id, call.to, call.status.value) if call else (None, None, "")
        return self._write(self.journal.note(who=client.name, action=action, call_id=call_id, to=to, outcome=outcome or status))

    async def caught_up(self) -> None:
        """Returns once the calls that ran before this process are known, or after a few seconds if Vapi does not tell."""
        if self._watcher:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CATCH_UP_PATIENCE):
                    await self._watcher.looked_back.wait()

    async def _hang_up(self, call_id: str) -> Call:
        assert self._gateway is not None  # noqa: S101 - only calls that it gave are hung up
        call = await hang_up(self._gateway, call_id)
        return self._take_ours(call)

    def _take_up(self, call: Call) -> None:
        """Takes in a call that runs by the journal; or writes down that it ended, where that failed at the time."""
        known = self._calls.get(call.id)
        if known is None:
            self._take_ours(call)
        elif not known.running:
            self._write(self.journal.save(known))

    def _hung_up(self, call_id: str) -> None:
        del self._hanging_up[call_id]
        if call := self.get(call_id):
            self.changed.emit(call)

    def _take_ours(self, call: Call) -> Call:
        """Takes in a call that was placed or ended here, and gives it as known from now on."""
        self._seen(call, ours=True)
        self.look(call.id)
        return self._calls[call.id]

    def _rename(self, unknown_id: str, call_id: str) -> None:
        self._renamed[unknown_id] = call_id
        self._calls.pop(unknown_id, None)
        self._running.discard(unknown_id)

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
        if call.running:
            self._running.add(call.id)
        elif call.id not in self._ended_at:
            self._running.discard(call.id)
            self._ended_at[call.id] = asyncio.get_running_loop().time()
            while len(self._ended_at) > _KEPT:
                oldest = next(iter(self._ended_at))
                del self._ended_at[oldest], self._calls[oldest]
        self._write(self.journal.save(call))
        self.changed.emit(call)

    def _write(self, writing: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._tasks.start(_written(writing), name="write journal")

    def _awaited(self) -> list[Call]:
        now = asyncio.get_running_loop().time()
        running = [self._calls[call_id] for call_id in self._running]
        settling = [self._calls[call_id] for call_id, ended in self._ended_at.items() if now - ended < _SETTLING]
        return [call for call in running if call.status is not CallStatus.UNKNOWN] + [
            call for call in settling if not call.cost or call.summary is None
        ]

    def _tell_trouble(self, trouble: str | None) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self.trouble_changed.emit(trouble)


async def _written(writing: Coroutine[Any, Any, None]) -> None:
    try:
        await writing
    except EarshotError as error:
        log.error("the journal could not be written (%s)", error.code)
