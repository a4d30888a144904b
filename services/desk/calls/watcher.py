"""Keeps all running calls up to date with one request to Vapi per tick, however many calls there are."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

from services.desk.calls.proof import over
from services.domain.call import LONGEST_CALL_SECONDS, Call, CallStatus
from services.domain.errors import CallNotFound, VapiError
from services.support.events import set_within
from services.support.log_lines import about
from services.vapi.gateway import Gateway

log = logging.getLogger(__name__)

SOON = 0.5
"""Seconds between reads while a call is waiting to be answered."""
CALM = 2.0
"""Seconds between reads while all calls are answered, or while the cost and summary of an ended call are awaited."""
IDLE = 5.0
"""Seconds between reads while no call is running: the dashboard or an inbound caller may start one at any time."""
LONGEST_CALL = timedelta(seconds=LONGEST_CALL_SECONDS)
"""A call that was created longer ago can't still be running."""

_OVERLAP = timedelta(seconds=10)  # a list may lag behind; a late change must not fall between two reads
_WIDE_EVERY = 30.0  # seconds between reads of all running calls instead of only changed ones
_YOUNG = timedelta(hours=1)  # calls created earlier are read one by one: a list would contain everything since then
_OLD_READS = 20  # such calls read per wide read, those first that were not read for longest
_DUE = timedelta(seconds=5)  # before its time, and a minute after it, a scheduled call may begin at any moment
_NEVER_FASTER = 0.2  # minimum seconds between two reads
_REST = 9  # wait 9 times the processor time of the last read, so that thousands of calls use at most a tenth of the processor
_LONGEST_REST_S = 5.0  # that time contains what else was done meanwhile
_MAX_BACKOFF = 30.0
_MOST = 1000  # calls per read: more simultaneous calls than any account allows
_SINGLE_READS = 5  # calls read one by one per tick because a list omitted them
_LOOKS = 20  # calls read one by one per tick on request
_MOST_ASKED = 1000
_LOST_CLOCK = timedelta(minutes=10)  # by which this machine's clock may be ahead of Vapi's


class Watcher:
    """Reads changed calls from Vapi, often while calls run and sometimes while none does, so that calls of any origin are found.

    `awaited` returns the calls that a read may still change. `seen` is called with each call read, and `asked` with each that was read
    because of `look`. `ended` is called with a call that must be over although no read shows its end, and the reason. `trouble` is called
    with the reason when reading fails, and with None when it works again.
    """

    def __init__(
        self,
        *,
        gateway: Gateway,
        awaited: Callable[[], Collection[Call]],
        seen: Callable[[Call], None],
        asked: Callable[[Call], None],
        ended: Callable[[Call, str], None],
        trouble: Callable[[str | None], None],
    ) -> None:
        self._gateway = gateway
        self._awaited = awaited
        self._seen = seen
        self._asked = asked
        self._ended = ended
        self._read_at: dict[str, float] = {}  # when each old call was last read by its id
        self._wanted: dict[str, None] = {}
        self._trouble = trouble
        self._wake = asyncio.Event()
        self._newest: datetime | None = None
        self.looked_back = asyncio.Event()
        """Set once the first read is done."""
        self._last_wide = float("-inf")

    def wake(self) -> None:
        """Starts a read now."""
        self._wake.set()

    def look(self, call_id: str) -> None:
        """Reads this call now, whether it is known here or not."""
        if len(self._wanted) < _MOST_ASKED:
            self._wanted[call_id] = None
        self.wake()

    async def read_now(self) -> None:
        """Reads what has changed at Vapi, without waiting for the next tick. Raises VapiError."""
        self._take_in(await self._read_updates())

    async def run(self) -> None:
        """Reads until cancelled, with growing pauses while Vapi does not answer."""
        failures = 0
        clock = asyncio.get_running_loop().time
        while True:
            began, worked = clock(), time.thread_time()
            try:
                self._end_the_overdue()
                await self._read()
            except Exception as error:
                failures += 1
                if isinstance(error, VapiError):
                    log.warning("could not read calls (%s), attempt %d", error.code, failures)
                    self._trouble(error.detail)
                else:
                    # A bug must not end the watching: calls would cost money unseen.
                    log.exception("could not read calls, attempt %d", failures)
                pause = min(_MAX_BACKOFF, SOON * 2**failures)
                await asyncio.sleep(min(CALM, pause))  # whoever asks, a Vapi in trouble is not asked more often
                await self._pause(pause - CALM)
                continue
            if failures:
                failures = 0
                self._trouble(None)
            # Not 9 times the read's duration: while Vapi took 5 s to answer, a call was unseen for the next 45.
            await asyncio.sleep(max(_NEVER_FASTER, min(_LONGEST_REST_S, _REST * (time.thread_time() - worked))))
            await self._pause(began + self._interval() - clock())

    def _interval(self) -> float:
        now = datetime.now(UTC)
        awaited = [call for call in self._awaited() if call.status is not CallStatus.SCHEDULED or _is_due(call, now)]
        if not awaited:
            return IDLE
        soon = (CallStatus.SCHEDULED, CallStatus.QUEUED, CallStatus.RINGING)
        return SOON if any(call.status in soon for call in awaited) else CALM

    async def _pause(self, seconds: float) -> None:
        await set_within(self._wake, seconds)
        self._wake.clear()

    async def _read(self) -> None:
        if not self.looked_back.is_set():
            began = datetime.now(UTC)
            calls = await self._gateway.list_calls(created_since=began - LONGEST_CALL, limit=_MOST)
            self._newest = began - _LOST_CLOCK
            self._take_in(calls)
            self.looked_back.set()
            return
        if wanted := list(self._wanted)[:_LOOKS]:
            for call in await self._read_singly(wanted):
                self._asked(call)
        self._take_in(await self._read_changes(self._awaited()))

    def _end_the_overdue(self) -> None:
        now = datetime.now(UTC)
        for call in self._awaited():
            if reason := over(call, now):
                self._ended(call, reason)

    def _take_in(self, calls: Collection[Call]) -> None:
        latest = datetime.now(UTC) + _LOST_CLOCK  # one wrong date must not hide all later changes
        for call in calls:
            if call.updated_at and call.updated_at < latest:
                self._newest = max(filter(None, (self._newest, call.updated_at)))
            self._seen(call)

    async def _read_changes(self, awaited: Collection[Call]) -> list[Call]:
        now = asyncio.get_running_loop().time()
        if not awaited or now - self._last_wide < _WIDE_EVERY:
            return await self._read_updates()
        self._last_wide = now
        born = datetime.now(UTC) - _YOUNG
        young = {call.id: call.created_at for call in awaited if call.created_at and call.created_at > born}
        calls = await self._gateway.list_calls(created_since=min(young.values()) - _OVERLAP, limit=_MOST) if young else []
        calls += await self._read_updates()
        listed = {call.id for call in calls}
        missing = [call.id for call in awaited if call.running and call.id not in listed]
        old = sorted((call_id for call_id in missing if call_id not in young), key=lambda call_id: self._read_at.get(call_id, 0.0))
        self._read_at = {call_id: self._read_at.get(call_id, 0.0) for call_id in old} | dict.fromkeys(old[:_OLD_READS], now)
        return calls + await self._read_singly([id_ for id_ in missing if id_ in young][:_SINGLE_READS] + old[:_OLD_READS])

    async def _read_updates(self) -> list[Call]:
        since = self._newest or datetime.now(UTC) - LONGEST_CALL
        return await self._gateway.list_calls(updated_since=since - _OVERLAP, limit=_MOST)

    async def _read_singly(self, call_ids: list[str]) -> list[Call]:
        found = []
        for call_id in call_ids:
            self._wanted.pop(call_id, None)
            try:
                found.append(await self._gateway.get_call(call_id))
            except CallNotFound:
                log.warning("Vapi does not know a call that was read by its id", extra=about(call_id))
                known = next((call for call in self._awaited() if call.id == call_id), None)
                if known and (reason := over(known, datetime.now(UTC), gone=True)):
                    self._ended(known, reason)
        return found


def _is_due(call: Call, now: datetime) -> bool:
    """True if a scheduled call may begin at any moment."""
    return call.earliest_at is not None and call.earliest_at - _DUE <= now <= call.earliest_at + timedelta(minutes=1)
