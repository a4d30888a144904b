"""Calls that other processes on the same journal placed: followed here too, so that none goes on unwatched when its process dies."""

import asyncio
import logging
from collections.abc import Callable, Set

from services.domain.call import Call
from services.domain.errors import EarshotError
from services.journal import Journal

log = logging.getLogger(__name__)

_EVERY = 10.0  # seconds


async def follow_other_processes(journal: Journal, running: Set[str], take_up: Callable[[Call], None]) -> None:
    """Gives `take_up` the calls that run by the journal and are not among the ids `running`, again and again until cancelled."""
    while True:
        try:
            for call in await journal.running(but=frozenset(running)):
                take_up(call)
        except EarshotError as error:
            log.warning("calls of other processes could not be read (%s)", error.code)
        await asyncio.sleep(_EVERY)
