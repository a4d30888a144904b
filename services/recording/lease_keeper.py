"""Which process records which call: one, by a lease in the journal that it renews, and another one if that is gone."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from services.domain.errors import JournalError
from services.journal import Lease, RecordingState
from services.journal.recordings import RecordingsJournal
from services.recording.recorders import Recorders
from services.support.recent import remember
from services.support.tasks import Tasks

log = logging.getLogger(__name__)

LEASE_RENEWAL_S = 2.0
_STOP_S = 5.0  # how long stopping another process's recording waits: that process reads of it within 500 ms


class LeaseKeeper:
    """Holds the leases of `recorders`. `take_over` is called with the id of a call whose recording process is gone. `changed` is called
    with the id of a call whose recording began or ended in another process.
    """

    def __init__(
        self,
        journal: RecordingsJournal,
        recorders: Recorders,
        *,
        take_over: Callable[[str], Awaitable[None]],
        changed: Callable[[str], object],
    ) -> None:
        self._journal = journal
        self._recorders = recorders
        self._take_over = take_over
        self._changed = changed
        self._others: dict[str, int] = {}  # when their first sound came, in ms since 1970; 0 if not known
        self._switched_off: dict[str, None] = {}
        self._releases: dict[str, asyncio.Task[None]] = {}
        self._taking_over: set[str] = set()
        self._news = asyncio.Event()
        self._tasks = Tasks()

    async def open(self) -> None:
        for state in await self._journal.known():
            self.learn(state)
        self._tasks.keep(self._keep, name="renew leases")

    async def aclose(self) -> None:
        await self._tasks.aclose()

    async def hand_over(self) -> None:
        """Lets other processes continue at once what this one has recorded."""
        try:
            await self._journal.hand_over_leases()
        except JournalError as error:
            log.warning("other processes take over the recordings late: %s", error.detail)

    def elsewhere(self, call_id: str) -> bool:
        """True if another process records this call."""
        return call_id in self._others

    def heard_from_ms(self, call_id: str) -> int:
        """When the first sound came that another process records of this call, in ms since 1970. 0 if that is not known."""
        return self._others.get(call_id, 0)

    def switched_off(self, call_id: str) -> bool:
        """True if somebody has stopped recording this call, in whichever process."""
        return call_id in self._switched_off

    def learn(self, state: RecordingState) -> None:
        """Takes in what the journal says of a call."""
        if state.recorder not in ("", self._journal.instance):
            self._others[state.call_id] = state.heard_from_ms
        else:
            self._others.pop(state.call_id, None)
        if not state.switched_off:
            self._switched_off.pop(state.call_id, None)
        else:
            remember(self._switched_off, state.call_id, None)
            if state.recorder == self._journal.instance:
                self._recorders.end(state.call_id)
        self._news.set()
        self._changed(state.call_id)

    async def take(self, call_id: str, *, unasked: bool, leave_to_placer_of: str | None = None) -> Lease | None:
        """The lease of a call; None for the reasons that `RecordingsJournal.take_lease` gives."""
        if release := self._releases.get(call_id):
            await asyncio.wait({release})  # or it might come after this
        try:
            lease = await self._journal.take_lease(call_id, unasked=unasked, leave_to_placer_of=leave_to_placer_of)
        except JournalError as error:  # must not cost the sound
            log.warning("recording without a lease: %s", error.detail)
            lease = Lease()
        if lease:
            self._others.pop(call_id, None)
            self._switched_off.pop(call_id, None)
        elif not unasked:
            self._others.setdefault(call_id, 0)
            self._changed(call_id)
        return lease

    async def switch_off(self, call_id: str) -> None:
        """Has the recording stopped, whichever process makes it. Returns once it has, or after 5 seconds."""
        remember(self._switched_off, call_id, None)
        self._recorders.end(call_id)
        await self._journal.switch_off(call_id)
        try:
            async with asyncio.timeout(_STOP_S):
                while call_id in self._others:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            log.warning("the process that records call %s has not stopped yet", call_id)

    def release(self, call_id: str) -> None:
        """Gives a lease back, soon."""
        self._releases[call_id] = task = self._tasks.start(self._release(call_id), name="release lease")
        task.add_done_callback(lambda _: self._releases.pop(call_id, None))

    async def _release(self, call_id: str) -> None:
        try:
            await self._journal.release_lease(call_id)
        except JournalError as error:
            log.warning("could not release the lease of a recording: %s", error.detail)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(LEASE_RENEWAL_S)
            try:
                if recorded := self._recorders.heard_from_ms:
                    for call_id in await self._journal.renew_leases(recorded):
                        self._others.setdefault(call_id, 0)
                        if call_id in self._recorders:
                            self._recorders.give_up(call_id, "elsewhere")
                for call_id in await self._journal.stale_leases():
                    if call_id not in self._taking_over:
                        self._taking_over.add(call_id)
                        self._tasks.start(self._continue(call_id), name="take over recording")
            except JournalError as error:
                log.warning("could not renew the leases of recordings: %s", error.detail)

    async def _continue(self, call_id: str) -> None:
        """Takes over in a task: it may wait for the disk for longer than the leases of this process hold without renewal."""
        try:
            await self._take_over(call_id)
        except JournalError as error:
            log.warning("could not take over the recording of call %s: %s", call_id, error.detail)
        finally:
            self._taking_over.discard(call_id)
