"""Notes: writes who did what to the audit and the timelines, in the background."""

import asyncio
import logging
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

from services.desk.calls.timeline import Timelines
from services.domain.call import Call
from services.domain.client import Client
from services.domain.errors import EarshotError
from services.journal import AuditRow, Journal
from services.support.tasks import Tasks

log = logging.getLogger(__name__)


class Notes:
    """Writes to `journal` without making callers wait for the disk."""

    def __init__(self, journal: Journal, timelines: Timelines) -> None:
        self._journal = journal
        self._timelines = timelines
        self._writing = Tasks()

    def note(
        self,
        client: Client,
        action: str,
        call: Call | None = None,
        *,
        outcome: str = "",
        detail: str = "",
        words: str = "",
        at: datetime | None = None,
    ) -> asyncio.Task[None]:
        """Has the audit say that `client` did something to a call, or to all of them; written once the returned task is done.

        Without an `outcome` it is the call's status. `words` are those of the refusal. `at` is now unless given.
        """
        call_id, to, status = (call.id, call.to, call.status.value) if call else (None, None, "")
        row = AuditRow(
            at=at or datetime.now(UTC),
            who=client.name,
            action=action,
            call_id=call_id,
            to=to,
            outcome=outcome or status,
            detail=detail,
            words=words,
        )
        self._timelines.add(row)
        return self._write(self._journal.note(row))

    def save(self, call: Call) -> None:
        """Has the journal save a call as just read."""
        self._write(self._journal.save(call))

    async def settled(self) -> None:
        """Returns once everything is written that was given so far."""
        await self._writing.settled()

    def _write(self, writing: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._writing.start(_written(writing), name="write journal")


async def _written(writing: Coroutine[Any, Any, None]) -> None:
    try:
        await writing
    except EarshotError as error:
        log.error("could not write to the journal (%s)", error.code)
