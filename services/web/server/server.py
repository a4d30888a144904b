"""uvicorn's server, stopped in order: what is under way is finished and answered before connections are closed."""

import asyncio
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.server import HANDLED_SIGNALS

from services.domain.errors import ShuttingDown
from services.support.tasks import Tasks
from services.web.problems import problem_of


class Server(uvicorn.Server):
    """Runs `drain` on SIGTERM or SIGINT while requests are still accepted, and then closes all connections.

    A second SIGINT cuts `drain` short.
    """

    def __init__(self, config: uvicorn.Config, *, drain: Callable[[], Coroutine[Any, Any, None]]) -> None:
        super().__init__(config)
        self._drain = drain
        self._hurry = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handles signals until the process ends. uvicorn would raise them again afterwards, in the middle of the clean-up."""
        for number in HANDLED_SIGNALS:
            signal.signal(number, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self.force_exit:
            self._loop.call_soon_threadsafe(self._hurry.set)

    async def stop_at(self, event: asyncio.Event) -> None:
        """Stops as at a SIGTERM once `event` is set."""
        await event.wait()
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        tasks = Tasks()
        draining = tasks.start(self._drain(), name="drain")
        hurrying = tasks.start(self._hurry.wait(), name="wait for a second interrupt")
        await asyncio.wait({draining, hurrying}, return_when=asyncio.FIRST_COMPLETED)
        await tasks.aclose()
        await super().shutdown(sockets)


class LastAnswers:
    """Answers 503 to requests that were not done in time when the server stopped. uvicorn cancels them, and would log a traceback each."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watch(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except asyncio.CancelledError:
            if scope["type"] == "http" and not begun:
                answer = problem_of(ShuttingDown("Earshot stopped before this request was done.", retry_after=5))
                await answer(scope, receive, send)
