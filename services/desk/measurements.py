"""What was measured of each call's conversation: the latest figures of running calls in memory, those of past calls from the journal."""

import json
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

from services.domain.errors import EarshotError
from services.journal import Journal
from services.measures.measured import Measured
from services.support.recent import remember
from services.support.signals import Signal
from services.support.tasks import Tasks

log = logging.getLogger(__name__)

_KEPT = 1000  # calls in memory
_SAVED_EVERY_S = 5.0  # of a call's sound: the most that a crash loses


class Measurements:
    """The figures of calls, under each call's `current_id`.

    `changed` emits the id of a call whose figures changed: when a turn begins or ends, somebody falls silent, and once per second of
    sound. Of a running call that another process measures, this one knows what was saved, up to 5 s ago, and not who speaks.
    """

    def __init__(self, journal: Journal, current_id: Callable[[str], str] = lambda call_id: call_id) -> None:
        self.changed: Signal[str] = Signal()
        self._journal = journal
        self._current_id = current_id
        self._live: dict[str, Measured] = {}
        self._came: dict[str, float] = {}
        self._briefs: dict[str, dict[str, Any]] = {}
        self._saved_until: dict[str, float] = {}
        self._erased: dict[str, None] = {}
        self._writing = Tasks()

    def live(self, call_id: str) -> Measured | None:
        """The latest figures of a call that is or was measured by this process."""
        return self._live.get(self._current_id(call_id))

    def age_s(self, call_id: str) -> float:
        """For how many seconds no figures of a call have come here: while sound comes they do each second. 0 if none ever came."""
        came = self._came.get(self._current_id(call_id))
        return time.monotonic() - came if came is not None else 0.0

    def brief(self, call_id: str) -> dict[str, Any] | None:
        """The figures without the lists, as JSON, of a call measured by this process or passed to `load` lately."""
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
            if over or until - self._saved_until.setdefault(call_id, 0.0) >= _SAVED_EVERY_S:
                self._saved_until[call_id] = until
                self._writing.start(self._save(call_id, measured, over=over), name="save measures")
            remember(self._live, call_id, measured, most=_KEPT)
            remember(self._came, call_id, time.monotonic(), most=_KEPT)
        if over:
            self._saved_until.pop(call_id, None)
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
        await self._writing.settled()

    async def _save(self, call_id: str, measured: Measured, *, over: bool) -> None:
        try:
            await self._journal.measures.save(call_id, measured.dump(), brief=json.dumps(measured.brief() | {"speaking": []}), over=over)
        except EarshotError as error:
            log.error("could not save what was measured of a call (%s)", error.code)
