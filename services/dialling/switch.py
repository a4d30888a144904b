"""The switch that stops all dialling: a file in the data folder, so that it holds over a restart and for every process on that folder."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from services.domain.errors import EarshotError
from services.support.signals import Signal
from services.support.whole_file import Stamp, stamp, write_whole

log = logging.getLogger(__name__)

FILE = "file"
"""Who stopped dialling where the file does not say: it was made by hand, such as by `touch stopped`."""

Note = Callable[[str, str, str], Awaitable[None]]
"""Writes down who did what, and why."""

_LOOK = 1.0  # seconds between looks at what other processes did; folders that tell of changes themselves are not to be had everywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Who stopped dialling, when, and why (which may be empty)."""

    by: str
    since: datetime
    reason: str = ""


class Switch:
    """`state` is None while dialling is allowed, as `refresh` saw it last. `changed` tells of each change, whoever made it.

    That the file is there is what stops, whatever is in it: a file that can't be read never counts as permission.
    `note` is told of each stop and resume that was asked for here.
    """

    def __init__(self, path: Path, note: Note | None = None) -> None:
        self.changed: Signal[Stop | None] = Signal()
        self.state: Stop | None = None
        self._path = path
        self._note = note
        self._stamp: Stamp = None
        self._one_at_a_time = asyncio.Lock()

    async def refresh(self) -> None:
        """Takes in what the file says now; for all who are about to dial."""
        if stamp(self._path) != self._stamp:
            async with self._one_at_a_time:
                await self._read()

    async def follow(self) -> None:
        """Looks at the file for as long as it runs, so that pages learn what other processes did. Raises nothing but being cancelled."""
        while True:
            try:
                await self.refresh()
            except OSError as error:
                log.warning("the switch that stops dialling could not be looked at (%s)", error.strerror)
            await asyncio.sleep(_LOOK)

    async def stop(self, who: str, why: str = "") -> Stop:
        """Stops dialling; where it is stopped already, who did it first stays on record.

        In force at once. A disk that can't be written to is logged, and then it holds for this process alone.
        """
        self._set(self.state or Stop(by=who, since=datetime.now(UTC), reason=why))
        async with self._one_at_a_time:
            await self._read()
            stop = self.state or Stop(by=who, since=datetime.now(UTC), reason=why)
            self._set(stop)
            if self._stamp is None:
                log.warning("dialling was stopped by %s", who)
                try:
                    await asyncio.to_thread(write_whole, self._path, json.dumps(_as_json(stop)))
                    self._stamp = stamp(self._path)
                except OSError as error:
                    log.error("dialling is stopped for this process only, since that can't be written down (%s)", error.strerror)
        await self._tell(who, "stop-dialling", why)
        return stop

    async def resume(self, who: str) -> None:
        """Allows dialling again. Raises OSError, and nothing is allowed, where the file can't be taken away."""
        async with self._one_at_a_time:
            await asyncio.to_thread(self._path.unlink, missing_ok=True)
            if self.state:
                log.warning("dialling was allowed again by %s", who)
            self._stamp = None
            self._set(None)
        await self._tell(who, "resume-dialling", "")

    async def _tell(self, who: str, what: str, why: str) -> None:
        """After it was done: a journal that can't be written must not keep anybody from stopping."""
        if self._note:
            try:
                await self._note(who, what, why)
            except EarshotError as error:
                log.error("who stopped or allowed dialling could not be written down (%s)", error.code)

    async def _read(self) -> None:
        # The stamp is taken first: what is written while we read gives another one, and is read the next time.
        now = stamp(self._path)
        if now != self._stamp:
            found = await asyncio.to_thread(_read_stop, self._path)
            self._stamp = now if found else None
            self._set(found)

    def _set(self, state: Stop | None) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit(state)


def _as_json(stop: Stop) -> dict[str, str]:
    return {"by": stop.by, "since": stop.since.isoformat(), "reason": stop.reason}


def _read_stop(path: Path) -> Stop | None:
    try:
        since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        text = path.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError:
        text, since = "", datetime.now(UTC)
    try:
        found = json.loads(text)
        since = datetime.fromisoformat(found["since"]).astimezone(UTC)
        return Stop(by=str(found["by"]), since=since, reason=str(found["reason"]))
    except (ValueError, TypeError, KeyError):
        return Stop(by=FILE, since=since, reason=text.strip()[:200])
