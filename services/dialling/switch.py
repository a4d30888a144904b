"""The switch that stops all dialling: a file in the data folder, so that it survives restarts and applies to all processes."""

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
"""Who stopped dialling if the file does not say, for example after `touch stopped`."""

Note = Callable[[str, str, str], Awaitable[None]]
"""Records who did what, and why."""

_LOOK = 1.0  # seconds between checks for changes by other processes; not every file system reports changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Who stopped dialling, when, and why. The reason may be empty."""

    by: str
    since: datetime
    reason: str = ""


class Switch:
    """`state` is None while dialling is allowed, as last read by `refresh`. `changed` emits each change, whoever made it.

    Dialling is stopped while the file exists, whatever it contains: an unreadable file never counts as permission.
    `note` records each stop and resume that was requested here.
    """

    def __init__(self, path: Path, note: Note | None = None) -> None:
        self.changed: Signal[Stop | None] = Signal()
        self.state: Stop | None = None
        self._path = path
        self._note = note
        self._stamp: Stamp = None
        self._one_at_a_time = asyncio.Lock()

    async def refresh(self) -> None:
        """Reads the file if it changed; call this before dialling."""
        if stamp(self._path) != self._stamp:
            async with self._one_at_a_time:
                await self._read()

    async def follow(self) -> None:
        """Reads the file every second until cancelled, so that pages show what other processes did."""
        while True:
            try:
                await self.refresh()
            except OSError as error:
                log.warning("could not read the stop switch (%s)", error.strerror)
            await asyncio.sleep(_LOOK)

    async def stop(self, who: str, why: str = "") -> Stop:
        """Stops dialling at once. If it is already stopped, the first stop stays on record.

        If the file can't be written, that is logged and the stop applies to this process only.
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
                    log.error("dialling is stopped for this process only: could not write the stop switch (%s)", error.strerror)
        await self._record(who, "stop-dialling", why)
        return stop

    async def resume(self, who: str) -> None:
        """Allows dialling again. Raises OSError if the file can't be deleted; then dialling stays stopped."""
        async with self._one_at_a_time:
            await asyncio.to_thread(self._path.unlink, missing_ok=True)
            if self.state:
                log.warning("dialling was resumed by %s", who)
            self._stamp = None
            self._set(None)
        await self._record(who, "resume-dialling", "")

    async def _record(self, who: str, what: str, why: str) -> None:
        """Called after the change, because a broken journal must not prevent a stop."""
        if self._note:
            try:
                await self._note(who, what, why)
            except EarshotError as error:
                log.error("could not record who stopped or resumed dialling (%s)", error.code)

    async def _read(self) -> None:
        # The stamp is taken first, so that a write during the read changes it and is read next time.
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
