"""The relay as the main process sees it while it runs in a process of its own (`RelayHost`)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

from services.domain.call import Call, ListenTarget
from services.domain.errors import CallNotFound, CallNotRunning, EarshotError
from services.domain.speech import SpeechEvent
from services.listening.listener import Listener, Sink
from services.listening.measurer import EndMeasuring, Publish
from services.listening.relay_counts import RelayCounts, SoundState
from services.listening.remote_counts import RemoteCounts
from services.listening.remote_users import Closing, Give, Joined, Measuring, Served
from services.measures.measured import Measured
from services.support.channel import Channel
from services.support.tasks import Tasks
from services.support.worker_process import WorkerProcess

log = logging.getLogger(__name__)

S = TypeVar("S", bound=Sink)

_MEASURED_WITHIN_S = 5.0
_STARTED_WITHIN_S = 5.0
_SHUTDOWN = 1012, "shutdown"
_NO_PROCESS = 1013, "The process for sound is being started. Try again later."
_FOR_GOOD = " for good: no call can be heard, recorded or measured until Earshot is started again"
_LOST = 1013, "The process for sound has ended. Restart Earshot."


class RemoteRelay:
    """Has the interface of `Relay`; `worker` runs the `RelayHost`. All methods are called on the loop on which it was made.

    When the process of the relay dies, or is killed because it hangs, its WebSockets are closed. Sinks and measuring continue in the next
    one, after an interruption.
    """

    def __init__(
        self,
        worker: WorkerProcess,
        *,
        target: Callable[[str], Awaitable[ListenTarget]],
        find: Callable[[str], Call | None],
        hint: Callable[[str], None],
        heard: Callable[[str, SpeechEvent], None] = lambda _call_id, _event: None,
    ) -> None:
        self.upstreams = 0
        self._worker = worker
        self._target, self._find, self._hint, self._heard = target, find, hint, heard
        self._loop = asyncio.get_running_loop()
        self._channel: Channel | None = None
        self._started = asyncio.Event()
        self._users: dict[int, Joined | Measuring | Served] = {}
        self._counts = RemoteCounts(lambda: self._send("count"))
        self._number = 0
        self._closed = False
        self._supervised = True
        self._tasks = Tasks()
        self._tasks.keep(self._watch, name="watch the process for sound")
        worker.news.setblocking(False)
        self._loop.add_reader(worker.news, self._on_worker)

    @property
    def listeners(self) -> int:
        return len(self._users)

    @property
    def state(self) -> SoundState:
        """`starting` until the next process runs; `lost` if there will be none."""
        if self._channel:
            return "ok"
        return "starting" if self._supervised else "lost"

    def listen(self, call_id: str, *, sound: bool = True, events: bool = True) -> Listener:
        """As `Relay.listen`."""
        return self._join(call_id, lambda leave: Listener(leave, sound=sound, events=events), sound, events)

    def join(self, call_id: str, sink: Callable[[Callable[[S], None]], S]) -> S:
        """As `Relay.join`."""
        return self._join(call_id, sink, True, True)

    def measure(self, call_id: str, publish: Publish, *, before: Measured | None = None) -> EndMeasuring:
        """As `Relay.measure`."""
        call = self._running(call_id)
        number = self._next()
        over = asyncio.Event()

        def take(measured: Measured | None, last: bool) -> None:
            if last:
                self._users.pop(number, None)
                over.set()
            publish(measured, last)

        measuring = Measuring(call_id, take, before)
        self._use(number, measuring, call)

        async def end() -> None:
            measuring.ending = True
            if self._channel and not over.is_set():
                self._channel.send("leave", number)  # the answer has the last figures
                with suppress(TimeoutError):
                    async with asyncio.timeout(_MEASURED_WITHIN_S):
                        await over.wait()
            if not over.is_set():
                measuring.finish("shutdown", drain=True)

        return end

    def on_call(self, call: Call) -> None:
        """Updates the upstream of a call that changed."""
        names = {call.id, f"unknown-{call.tag}"}
        users = [number for number, user in self._users.items() if user.call_id in names]
        if self._channel is None and not call.running:  # for running calls the relay ends them once it has sent the last sound
            for number in users:
                self._finished(number, "call ended", True)
        elif users:
            self._send("call", call)

    async def serve(self, call_id: str, give: Give, *, heartbeat: float, closing: Closing | None) -> tuple[int, str] | None:
        """Has the relay's process serve the open WebSocket that `give` gives up, until it is closed. `closing` returns the code and the
        reason when it shall be closed.

        Returns the code and the reason with which the caller must close it, if it can't be served, else None. Raises CallNotFound,
        CallNotRunning, and what `give` raises.
        """
        with suppress(TimeoutError):
            # Its process just died. A client that is refused would wait longer.
            async with asyncio.timeout(_STARTED_WITHIN_S if self._supervised else 0):
                await self._started.wait()
        call = self._running(call_id)
        if self._closed:
            return _SHUTDOWN
        if self._channel is None:
            return _NO_PROCESS if self._supervised else _LOST
        sock, unread = await give()
        with sock:
            call, channel = self._find(call_id) or call, self._channel
            if channel is None:  # its process has just died
                return None
            descriptor = sock.detach()
        number = self._next()
        self._users[number] = served = Served(call_id)
        channel.send("serve", number, call, heartbeat, unread, descriptor=descriptor)
        tasks = Tasks()
        try:
            if closing is not None:
                tasks.start(self._end_when(number, closing), name="wait for logout")
            await served.over.wait()
        finally:
            await tasks.aclose()
            self._users.pop(number, None)
            self._send("end", number, *_SHUTDOWN)
        return None

    def end_sockets(self) -> None:
        """Closes all WebSockets, as for a restart."""
        self._send("stop")

    async def counted(self) -> RelayCounts:
        """The counts as of now, or as they were last if the relay's process does not answer."""
        return await self._counts.now()

    async def aclose(self) -> None:
        """Ends every sink, and the relay's process. May be called twice."""
        if self._closed:
            return
        self._closed = True
        self._started.set()
        self._loop.remove_reader(self._worker.news)
        self._worker.news.close()  # first, so that no other process is started
        for user in list(self._users.values()):
            user.finish("shutdown", drain=False)
        self._users.clear()
        if self._channel:
            self._channel.close()
            self._channel = None
        self.upstreams = 0
        await self._tasks.aclose()
        await asyncio.to_thread(self._worker.join)

    def _join(self, call_id: str, make: Callable[[Callable[[S], None]], S], sound: bool, events: bool) -> S:
        call = self._running(call_id)
        number = self._next()

        def leave(_leaving: S) -> None:
            if self._users.pop(number, None):
                self._send("leave", number)

        sink = make(leave)
        self._use(number, Joined(call_id, sink, sound, events), call)
        return sink

    def _use(self, number: int, user: Joined | Measuring, call: Call) -> None:
        if self._closed:
            return user.finish("shutdown", drain=False)
        self._users[number] = user
        self._send(*user.request(number, call))
        return None

    def _running(self, call_id: str) -> Call:
        call = self._find(call_id)
        if call is None:
            raise CallNotFound()
        if not call.running:
            raise CallNotRunning("This call has ended.")
        return call

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _send(self, *message: Any) -> bool:
        """Sends the process a message. False if there is no process now."""
        if self._channel:
            self._channel.send(*message)
        return self._channel is not None

    def _on_worker(self) -> None:
        sock = self._worker.socket_of_worker()
        if sock is None:
            self._loop.remove_reader(self._worker.news)
            self._supervised = False
            if self._channel is None:
                return log.critical("the process for sound has ended%s", _FOR_GOOD)
            return log.critical("nothing would start the process for sound again if it ended: restart Earshot soon")
        if self._channel:  # its end was not noticed yet
            self._channel.close()
            self._lost(self._channel)
        channel = Channel(sock, received=self._received, ended=lambda: self._lost(channel))
        self._channel = channel
        self._started.set()
        for number, user in list(self._users.items()):
            if isinstance(user, Served):
                continue
            call = self._find(user.call_id)
            if call and call.running:
                channel.send(*user.request(number, call))
            else:
                self._finished(number, "call ended", True)
        return None

    def _lost(self, channel: Channel) -> None:
        if self._closed or channel is not self._channel:
            return
        log.error("the process for sound has ended%s", " and is started again" if self._supervised else _FOR_GOOD)
        self._channel = None
        self._started.clear()
        self._counts.lost()
        self.upstreams = 0
        for user in list(self._users.values()):
            user.interrupted()

    async def _watch(self) -> None:
        """Kills a process that hangs, which would leave all listeners in silence."""
        while True:
            await self._counts.until_hanging()
            log.error("the process for sound does not answer and is killed")
            self._worker.kill()

    def _received(self, message: tuple[Any, ...], _descriptor: int | None) -> None:
        kind, *arguments = message
        match kind:
            case "play" | "tell" | "measured" | "served":
                number, *what = arguments
                if user := self._users.get(number):
                    user.take(kind, *what)
            case "finish":
                self._finished(*arguments)
            case "target":
                self._tasks.start(self._answer(*arguments), name="find a call's sound")
            case "hint":
                self._hint(*arguments)
            case "heard":
                self._heard(*arguments)
            case "counts":
                self._counts.take(*arguments)
            case "upstreams":
                (self.upstreams,) = arguments
            case _:
                raise ValueError(f"unknown message: {kind}")

    def _finished(self, number: int, end: Any, drain: bool) -> None:
        if user := self._users.pop(number, None):
            user.finish(end, drain=drain)

    async def _answer(self, number: int, call_id: str) -> None:
        answer: tuple[ListenTarget | None, str, bool] = None, "This call's sound can't be opened. See Earshot's log.", False
        try:
            answer = await self._target(call_id), "", False
        except EarshotError as error:
            answer = None, error.detail, error.retryable
        finally:
            self._send("target", number, *answer)

    async def _end_when(self, number: int, closing: Closing) -> None:
        self._send("end", number, *await closing())
