"""A thread with an event loop of its own for sound, so that pages, exports and searches on the main loop do not delay it."""

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

SWITCH_INTERVAL_S = 0.0001
"""How long a busy thread may keep the interpreter while another waits for it; Python's default is 5 ms. Sound needs it for every frame:
beside a main loop that is always busy, 40 streams had delays of p99 310 ms with the default, 460 ms with 1 ms, and 9 ms with 0.1 ms.
Without sound the default stays: the journal's thread and the main loop would take turns so often that a dial costs 1.4 times the CPU."""


class SoundThread:
    """Starts the thread. Everything else in the process lives on the main loop, from which this object is made and used.

    The loop is asyncio's own: uvloop acquires the interpreter once for each socket that has news, asyncio once for all of them.
    """

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._main = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="sound", daemon=True)
        self._usual_interval_s = sys.getswitchinterval()
        self._thread.start()

    def hurry(self, playing: bool) -> None:
        """Lets threads take turns quickly while there is sound."""
        sys.setswitchinterval(SWITCH_INTERVAL_S if playing else self._usual_interval_s)

    async def aclose(self) -> None:
        """Ends the loop and its thread. Whoever works there must have been closed before."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        await asyncio.to_thread(self._thread.join)
        self.loop.close()
        self.hurry(False)

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
        self.loop.run_forever()
