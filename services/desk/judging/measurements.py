"""What was measured of each call's conversation: the latest figures of running calls in memory, those of past calls from the journal."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from services.domain.errors import EarshotError
from services.journal import Journal
from services.journal.records import Counted
from services.measures.figures import SPEAKERS, quantile
from services.measures.measured import Measured
from services.support.recent import remember
from services.support.signals import Signal
from services.support.tasks import Tasks

log = logging.getLogger(__name__)

_CUSTOMER, _ASSISTANT = range(len(SPEAKERS))
_KEPT = 1000  # calls in memory
_DUE_AFTER_S = 4.0  # of a call's sound since its figures were last saved
_TOGETHER_S = 1.0  # what falls due within this time is saved in one transaction, so that other processes read it together
SAVED_EVERY_S = _DUE_AFTER_S + _TOGETHER_S
"""How much a crash loses at most, and how late other processes have it."""


class Measurements:
    """The figures of calls, under each call's `current_id`.

    `changed` emits the id of a call whose figures changed: when a turn begins or ends, somebody falls silent, and once per second of
    sound. Of a running call that another process measures, this one knows what was saved, up to `SAVED_EVERY_S` ago, and not who speaks.
    """

    def __init__(self, journal: Journal, current_id: Callable[[str], str] = lambda call_id: call_id) -> None:
        self.changed: Signal[str] = Signal()
        self._journal = journal
        self._current_id = current_id
        self._live: dict[str, Measured] = {}
        self._came: dict[str, float] = {}
        self._briefs: dict[str, dict[str, Any]] = {}
        self._saved_until: dict[str, float] = {}  # of the calls that are measured here
        self._due: dict[str, tuple[Measured, bool]] = {}
        self._erased: dict[str, None] = {}
        self._hurry = asyncio.Event()
        self._writing = Tasks()

    def live(self, call_id: str) -> Measured | None:
        """The latest figures known here of a call that has run since this process started."""
        return self._live.get(self._current_id(call_id))

    def age_s(self, call_id: str) -> float:
        """For how many seconds figures of a call are overdue. While sound comes they come every second, or from another process each time
        it saves them. 0 if none ever came."""
        came = self._came.get(self._current_id(call_id))
        return max(0.0, time.monotonic() - came) if came is not None else 0.0

    def brief(self, call_id: str) -> dict[str, Any] | None:
        """The figures without the lists, as JSON, if `live` has any of the call or it was passed to `load` recently."""
        measured = self.live(call_id)
        return measured.brief() if measured else self._briefs.get(self._current_id(call_id))

    async def load(self, call_ids: Iterable[str]) -> None:
        """Reads from the journal what `brief` needs for these calls. In an outage they are answered without it."""
        wanted = {self._current_id(call_id) for call_id in call_ids} - self._live.keys() - self._erased.keys()
        if not wanted:
            return
        try:
            found = await self._journal.measures.briefs(wanted)
        except EarshotError as error:
            log.warning("could not read what was measured of calls (%s)", error.code)
            return
        for call_id, text in found.items():
            if call_id not in self._erased:
                remember(self._briefs, call_id, json.loads(text), most=_KEPT)

    async def of(self, call_id: str) -> Measured | None:
        """The figures of any call; None if nothing was measured of it. Raises JournalError."""
        call_id = self._current_id(call_id)
        if (measured := self.live(call_id)) or call_id in self._erased:
            return measured
        text = await self._journal.measures.of(call_id)
        return Measured.load(text) if text else None

    def take(self, call_id: str, measured: Measured | None, over: bool) -> None:
        """Takes the figures of a call that is measured here. `over`: no more of them come."""
        call_id = self._current_id(call_id)
        if call_id in self._erased:
            return
        if measured:
            until = measured.figures.conversation.until
            if over or until - self._saved_until.setdefault(call_id, 0.0) >= _DUE_AFTER_S:
                self._saved_until[call_id] = until
                if not self._due:
                    self._writing.start(self._save_soon(), name="save measures")
                self._due[call_id] = measured, over
            remember(self._live, call_id, measured, most=_KEPT)
            remember(self._came, call_id, time.monotonic(), most=_KEPT)
        if over:
            self._saved_until.pop(call_id, None)
            self._hurry.set()
        self.changed.emit(call_id)

    def follow(self, call_id: str, text: str) -> None:
        """Keeps the figures that another process saved of a call, unless this process measures it."""
        call_id = self._current_id(call_id)
        if call_id not in self._saved_until and call_id not in self._erased and text:
            remember(self._live, call_id, Measured.load(text), most=_KEPT)
            remember(self._came, call_id, time.monotonic() + SAVED_EVERY_S, most=_KEPT)
            self.changed.emit(call_id)

    def erase(self, call_id: str) -> None:
        """Forgets what was measured of an ended call, and what may still come of it."""
        if call_id not in self._erased:
            remember(self._erased, call_id, None, most=_KEPT)
            self._live.pop(call_id, None)
            self._came.pop(call_id, None)
            self._briefs.pop(call_id, None)
            self.changed.emit(call_id)

    async def settled(self) -> None:
        """Returns once everything is written that was taken so far."""
        self._hurry.set()
        await self._writing.settled()

    async def _save_soon(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_TOGETHER_S):
                await self._hurry.wait()
        due, self._due = self._due, {}
        self._hurry.clear()
        await asyncio.gather(*(self._save(call_id, measured, over=over) for call_id, (measured, over) in due.items()))

    async def _save(self, call_id: str, measured: Measured, *, over: bool) -> None:
        figures = measured.figures
        median_s = quantile(figures.response_times(_ASSISTANT), 0.5)
        counted = Counted(
            response_ms=None if median_s is None else round(1000 * median_s),
            interrupted=figures.interruptions_by(_ASSISTANT),
            barged_in=figures.interruptions_by(_CUSTOMER),
        )
        brief = json.dumps(measured.brief() | {"speaking": []})
        try:
            await self._journal.measures.save(call_id, measured.dump(), brief=brief, counted=counted, over=over)
        except EarshotError as error:
            log.error("could not save what was measured of a call (%s)", error.code)
