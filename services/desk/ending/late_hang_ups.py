"""Hangs up the calls of dials that were in flight when all calls were ended, as soon as each call is known."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

from services.domain.call import Call
from services.domain.client import Client
from services.domain.errors import EarshotError
from services.journal import Dial, DialState, Journal
from services.support.events import set_within
from services.support.log_lines import about
from services.support.tasks import Tasks

log = logging.getLogger(__name__)

_SOON = 0.25  # seconds between looks while a call is to be hung up once it is known
_IDLE = 5.0  # seconds between looks otherwise, for what other processes were asked to hang up and did not
_AGAIN = 5.0  # seconds before another attempt to hang up a call


class LateHangUps:
    """The wanted hang-ups are in the journal, so that another process hangs up if this one dies. Hanging up twice is harmless.

    `end` hangs up a call. Raises EarshotError.
    """

    def __init__(self, journal: Journal, end: Callable[[str, Client], Awaitable[Call]]) -> None:
        self._journal = journal
        self._end = end
        self._wake = asyncio.Event()
        self._under_way: set[str] = set()
        self._tasks = Tasks()

    async def want(self, client: Client) -> Sequence[Dial]:
        """Has the calls of all dials that are open now hung up for `client`. Returns these dials; if the journal can't be written now,
        it is done as soon as it can.
        """
        try:
            return await self._want(client)
        except EarshotError as error:
            log.error("could not record that open dials are to be hung up (%s); trying again", error.code)
            self._tasks.keep(partial(self._want_later, client, datetime.now(UTC)), name="want hang-ups")
            return ()

    async def run(self) -> None:
        """Hangs up until cancelled."""
        while True:
            dials: Sequence[Dial] = ()
            try:
                dials = await self._journal.wanted_hang_ups()
                for dial in dials:
                    await self._look_at(dial)
            except EarshotError as error:
                log.warning("could not read which calls are to be hung up (%s)", error.code)
            await set_within(self._wake, _SOON if dials else _IDLE)
            self._wake.clear()

    async def aclose(self) -> None:
        await self._tasks.aclose()

    async def _want(self, client: Client, asked_at: datetime | None = None) -> Sequence[Dial]:
        dials = await self._journal.want_hang_ups(client.name, asked_at=asked_at)
        self._wake.set()
        return dials

    async def _want_later(self, client: Client, asked_at: datetime) -> None:
        while True:
            await asyncio.sleep(1)
            with suppress(EarshotError):
                await self._want(client, asked_at)
                return

    async def _look_at(self, dial: Dial) -> None:
        tag = dial.order.tag
        if dial.state in (DialState.REFUSED, DialState.LOST):
            await self._journal.hung_up(tag)
        elif dial.state is DialState.PLACED and dial.call_id and tag not in self._under_way:
            self._under_way.add(tag)
            self._tasks.start(self._hang_up(dial, dial.call_id), name="hang up later")

    async def _hang_up(self, dial: Dial, call_id: str) -> None:
        try:
            await self._end(call_id, Client(name=dial.hang_up_by or ""))
            await self._journal.hung_up(dial.order.tag)
        except EarshotError as error:
            log.warning(
                "could not hang up a call that was being dialled when all calls were ended (%s); trying again",
                error.code,
                extra=about(call_id),
            )
            await asyncio.sleep(_AGAIN)
        except Exception:
            log.exception("could not hang up a call that was being dialled when all calls were ended; trying again", extra=about(call_id))
            await asyncio.sleep(_AGAIN)
        finally:
            self._under_way.discard(dial.order.tag)
