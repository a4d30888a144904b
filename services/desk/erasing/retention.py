"""Deletes recordings, transcripts, and the data and numbers of calls, each after its own number of days."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from services.desk.judging.alerts import Alerts
from services.domain.call import Call
from services.domain.client import Client
from services.domain.errors import EarshotError
from services.journal import Journal

log = logging.getLogger(__name__)

STATE = "retention"
"""The name of the state in the journal: when a process last began to delete."""

_EARSHOT = Client(name="earshot")
_EVERY = timedelta(hours=1)
_BETWEEN_S = 0.2  # deletions at Vapi, each of which takes two requests
_BATCH = 50


class OldCalls(Protocol):
    """The part of the desk that retention needs."""

    alerts: Alerts
    journal: Journal

    async def erase(self, call_id: str, client: Client) -> Call: ...
    def note(self, client: Client, action: str, call: Call | None = None, *, outcome: str = "") -> object: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How long each is kept; None: no limit here. `numbers` is for all data of calls, and for numbers wherever they are written."""

    recordings: timedelta | None = None
    transcripts: timedelta | None = None
    numbers: timedelta | None = None

    @classmethod
    def days(cls, *, recordings: int | None, transcripts: int | None, numbers: int | None) -> "Kept":
        days = {"recordings": recordings, "transcripts": transcripts, "numbers": numbers}
        return cls(**{name: timedelta(days=count) for name, count in days.items() if count is not None})


class Retention:
    """`delete_recordings` deletes the recordings from before a time that this process can reach, and returns how many."""

    def __init__(
        self,
        desk: OldCalls,
        kept: Kept,
        *,
        delete_recordings: Callable[[datetime], Awaitable[int]],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._desk = desk
        self._kept = kept
        self._delete_recordings = delete_recordings
        self._now = now

    async def run(self) -> None:
        """Deletes every hour, until cancelled."""
        while True:
            try:
                await self.tidy()
            except EarshotError as error:
                log.warning("could not delete data past its retention (%s)", error.code)
            await asyncio.sleep(_EVERY.total_seconds())

    async def tidy(self) -> None:
        """Every process deletes recordings, which may be on its disk, and what it has in memory. One process an hour deletes the rest.

        Raises JournalError.
        """
        now = self._now()
        if self._kept.recordings and (deleted := await self._delete_recordings(now - self._kept.recordings)):
            log.info("deleted %d recordings older than EARSHOT_KEEP_RECORDINGS_DAYS", deleted)
        if self._kept.transcripts:
            self._desk.alerts.unquote(now - self._kept.transcripts)
        if not (self._kept.transcripts or self._kept.numbers) or not await self._is_ours(now):
            return
        if self._kept.transcripts and (deleted := await self._desk.journal.delete_transcripts(now - self._kept.transcripts)):
            self._desk.note(_EARSHOT, "delete-transcripts", outcome=str(deleted))
        if self._kept.numbers:
            await self._delete_calls(now - self._kept.numbers)
            await self._desk.journal.numbers.hide_old(now - self._kept.numbers)

    async def _is_ours(self, now: datetime) -> bool:
        """True if no process has begun within the last hour."""
        ours = False

        def begin(value: str) -> str:
            nonlocal ours
            ours = not value or now - datetime.fromisoformat(value) >= _EVERY
            return now.isoformat() if ours else value

        await self._desk.journal.change_state(STATE, begin)
        return ours

    async def _delete_calls(self, before: datetime) -> None:
        """Deletes the data of ended calls, here and at Vapi, one after the other. What can't be deleted now is left for the next hour."""
        after = (0, "")
        while found := await self._desk.journal.erasures.older(before, after, _BATCH):
            for _, call_id in found:
                try:
                    await self._desk.erase(call_id, _EARSHOT)
                except EarshotError as error:
                    log.warning("could not delete the data of a call past its retention (%s)", error.code)
                except Exception:  # it must not hold up the others, each hour anew
                    log.exception("could not delete the data of a call past its retention")
                await asyncio.sleep(_BETWEEN_S)
            after = found[-1]
