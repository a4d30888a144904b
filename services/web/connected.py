"""Whether the client of a request is still there."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

from services.support.tasks import Tasks

T = TypeVar("T")


async def while_connected(receive: Receive, work: Coroutine[Any, Any, T]) -> T | None:
    """What `work` returns or raises. None if the client disconnects first: then `work` is cancelled."""
    tasks = Tasks()
    try:
        working = tasks.start(work, name="work for a client")
        gone = tasks.start(until_disconnected(receive), name="watch client")
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        await tasks.aclose()


async def until_disconnected(receive: Receive) -> None:
    """Returns once the client has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass
