"""Measures the conversations of the calls that were placed here, while they run, also if nobody listens."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from services.desk.judging.measurements import Measurements
from services.domain.call import Call, CallStatus
from services.domain.errors import CallNotFound, CallNotRunning, JournalError
from services.journal.measures import MeasuresJournal
from services.listening.live_sound import LiveSound
from services.listening.measurer import EndMeasuring
from services.measures.measured import Measured
from services.support.tasks import Tasks

log = logging.getLogger(__name__)

_AGAIN_S = 5.0  # until a call that another process measures, or that could not be measured, is tried again


class Measuring:
    """Has the relay measure each call that `on_call` reports, from before it is answered. `find` returns a call as known.

    One of the processes on a journal measures a call: first the one that placed it, since most recording and listening is there; if that
    dies, another one.
    """

    def __init__(
        self,
        relay: LiveSound,
        *,
        journal: MeasuresJournal,
        measurements: Measurements,
        find: Callable[[str], Call | None],
    ) -> None:
        self._relay = relay
        self._journal = journal
        self._measurements = measurements
        self._find = find
        self._over: dict[str, asyncio.Event] = {}
        self._endings: dict[str, EndMeasuring] = {}
        self._closed = False
        self._tasks = Tasks()

    def on_call(self, call: Call) -> None:
        """Begins to measure a call of ours that is being dialled or runs."""
        begun = call.running and call.status not in (CallStatus.UNKNOWN, CallStatus.SCHEDULED)
        if begun and call.tag and call.id not in self._over and not self._closed:
            self._over[call.id] = asyncio.Event()
            self._tasks.start(self._measure(call.id, call.tag), name="measure a call")

    async def aclose(self) -> None:
        """Saves what was measured. Another process, or the next start, continues."""
        self._closed = True
        await asyncio.gather(*(end() for end in self._endings.values()))
        await asyncio.sleep(0)  # what was published from the relay's thread arrives
        await self._tasks.aclose()
        await self._measurements.settled()

    async def _measure(self, call_id: str, tag: str) -> None:
        leave_to_placer_of: str | None = tag  # only at first: measuring may be off where the call was placed
        try:
            while (call := self._find(call_id)) and call.running and not self._closed:
                if await self._begin(call_id, leave_to_placer_of):
                    await self._over[call_id].wait()
                    self._over[call_id].clear()
                await asyncio.sleep(_AGAIN_S)
                leave_to_placer_of = None
        finally:
            del self._over[call_id]

    async def _begin(self, call_id: str, leave_to_placer_of: str | None) -> bool:
        """Joins the relay, unless another process measures the call, or is going to."""
        try:
            text = await self._journal.take(call_id, leave_to_placer_of=leave_to_placer_of)
        except JournalError as error:  # must not cost the figures
            log.warning("measuring without the journal: %s", error.detail)
            text = ""
        if text is None:
            return False
        before = Measured.load(text) if text else None
        try:
            self._endings[call_id] = self._relay.measure(call_id, partial(self._take, call_id), before=before)
        except (CallNotFound, CallNotRunning):
            return False
        return True

    def _take(self, call_id: str, measured: Measured | None, over: bool) -> None:
        self._measurements.take(call_id, measured, over)
        if over:
            self._endings.pop(call_id, None)
            if event := self._over.get(call_id):
                event.set()
