"""Background work with an owner: every task has a name, its failure is logged, and it ends when its owner does."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from services.domain.errors import EarshotError

log = logging.getLogger(__name__)
T = TypeVar("T")


class Tasks:
    """The running tasks of one owner."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Runs `work` beside the caller, who may await the task and then gets its result or exception."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def settled(self) -> None:
        """Returns once everything that runs now is over."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def aclose(self) -> None:
        """Cancels whatever still runs and waits for it to be over."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        # Our own errors are answers, told to whoever awaits the task; anything else is a bug and must be seen.
        if not task.cancelled() and (error := task.exception()) and not isinstance(error, EarshotError):
            log.error("task %s failed", task.get_name(), exc_info=error)
