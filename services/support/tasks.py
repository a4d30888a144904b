"""Background tasks with an owner: each has a name, its failure is logged, and it is cancelled with its owner."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from services.domain.errors import EarshotError
from services.support.rarely import Rarely

_AGAIN_S = 1.0
_LOGGED_EVERY_S = 60.0  # how often the log has one kind of error of one task that fails again and again
log = logging.getLogger(__name__)
T = TypeVar("T")


class Tasks:
    """The running tasks of one owner."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Runs `work` in a task. Awaiting the task returns its result or raises its exception."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def keep(self, work: Callable[[], Coroutine[Any, Any, object]], *, name: str) -> asyncio.Task[None]:
        """Runs `work` until it returns. If it fails, it runs again after a second: for what must go on for as long as its owner lives, such
        as following the journal, and which one odd answer must not end. The log has each kind of error once a minute.
        """
        return self.start(self._keep(work, name), name=name)

    async def _keep(self, work: Callable[[], Coroutine[Any, Any, object]], name: str) -> None:
        rarely = Rarely(_LOGGED_EVERY_S)
        while True:
            try:
                await work()
                return
            except Exception as error:
                if rarely(type(error)):
                    log.exception("task %s failed and starts again", name)
            await asyncio.sleep(_AGAIN_S)

    async def settled(self) -> None:
        """Returns once all tasks that are running now have finished."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def aclose(self) -> None:
        """Cancels all running tasks and waits for them."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        # Our own errors are for whoever awaits the task. Anything else is a bug and must be logged.
        if not task.cancelled() and (error := task.exception()) and not isinstance(error, EarshotError):
            log.error("task %s failed", task.get_name(), exc_info=error)
