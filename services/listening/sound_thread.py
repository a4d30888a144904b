"""A thread with an event loop of its own for sound, so that pages, exports and searches on the main loop delay it less.

Used where Linux's fork, and so a process of its own, is missing.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

from services.listening.sound_loop import SoundLoop
from services.measures.measures import warm_up

P = ParamSpec("P")
T = TypeVar("T")


class SoundThread:
    """Starts the thread. Everything else in the process lives on the main loop, from which this object is made and used."""

    def __init__(self) -> None:
        self.loop = SoundLoop()
        self._main = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="sound", daemon=True)
        self._thread.start()

    async def aclose(self) -> None:
        """Ends the loop and its thread. Whoever works there must have been closed before."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        await asyncio.to_thread(self._thread.join)
        self.loop.close()

    def on_main(self, work: Callable[P, object]) -> Callable[P, None]:
        """A function for the sound's loop that has `work` called on the main loop, soon."""

        def call(*args: P.args, **kwargs: P.kwargs) -> None:
            self._main.call_soon_threadsafe(lambda: work(*args, **kwargs))

        return call

    def ask_main(self, work: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Awaitable[T]]:
        """A coroutine function for the sound's loop that runs `work` on the main loop and returns what it returns."""

        async def ask(*args: P.args, **kwargs: P.kwargs) -> T:
            asked: Future[T] = asyncio.run_coroutine_threadsafe(work(*args, **kwargs), self._main)
            return await asyncio.wrap_future(asked)

        return ask

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        warm_up()
        self.loop.run_forever()
