"""Follows calls that other processes on the same journal placed, so that every call is watched even if its process dies."""

import asyncio
import logging
from collections.abc import Callable, Set

from services.domain.call import Call
from services.domain.errors import EarshotError
from services.journal import Journal

log = logging.getLogger(__name__)

_EVERY = 10.0  # seconds


async def follow_other_processes(journal: Journal, running: Set[str], take_up: Callable[[Call], None]) -> None:
    """Repeatedly passes `take_up` the calls that the journal says are running and that are not in `running`. Runs until cancelled."""
    while True:
        try:
            for call in await journal.running(but=frozenset(running)):
                take_up(call)
        except EarshotError as error:
            log.warning("could not read calls of other processes (%s)", error.code)
        await asyncio.sleep(_EVERY)
