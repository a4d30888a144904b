"""The relay in a process of its own, for the main process at the other end of a channel (`RemoteRelay`)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from services.domain.call import Call, ListenTarget
from services.domain.errors import CallNotRunning, EarshotError
from services.domain.speech import SpeechEvent
from services.listening.listener import End
from services.listening.measurer import Measurer
from services.listening.relay import Relay
from services.measures.measured import Measured
from services.support.channel import Channel
from services.support.descriptors import watch_descriptors
from services.support.loop_lag import measure_lag
from services.support.tasks import Tasks

_MOST_WAITING = 64 * 1024 * 1024  # bytes of sound for recorders; a main process that far behind hangs
_CLOSED_WITHIN_S = 2.0

Serve = Callable[["RelayHost", int, str, float, bytes, Awaitable[tuple[int, str]]], Awaitable[None]]
"""Serves the WebSocket with this descriptor: `serve(host, descriptor, call_id, heartbeat, unread, closing)`. `unread` are bytes that were
received before. `closing` returns the code and reason with which the main process wants it closed. Closes the descriptor."""


class RelayHost:
    """Answers the main process. `serve` serves a listener's WebSocket, `stop` ends all of them. `buffer_seconds` is as for Relay."""

    def __init__(self, *, serve: Serve, stop: Callable[[], None], buffer_seconds: float) -> None:
        self.relay = Relay(
            target=self._target,
            find=lambda call_id: self._calls.get(call_id),
            hint=self._hint,
            heard=self._heard,
            buffer_seconds=buffer_seconds,
            playing=lambda _any: self.send("upstreams", self.relay.upstreams),
        )
        self.over = asyncio.Event()
        """Set once the main process is gone."""
        self._serve, self._stop = serve, stop
        self._channel: Channel
        self._calls: dict[str, Call] = {}
        self._users: dict[int, str] = {}
        self._sinks: dict[int, _Sink | Measurer] = {}
        self._closings: dict[int, asyncio.Future[tuple[int, str]]] = {}
        self._asked: dict[int, asyncio.Future[ListenTarget]] = {}
        self._asked_count = 0
        self._serving, self._watching = Tasks(), Tasks()

    async def run(self, channel: Channel) -> None:
        """Works until the main process closes the channel or is gone. `channel` must be connected to `received` and `over.set`."""
        self._channel = channel
        self._watching.start(measure_lag(self.relay.counts.lag, "sound"), name="measure the sound loop's lag")
        self._watching.start(watch_descriptors(), name="watch descriptors")
        await self.over.wait()
        with suppress(TimeoutError):  # the process ends then
            async with asyncio.timeout(_CLOSED_WITHIN_S):
                await self.relay.aclose()
                await self._serving.settled()  # clients are sent why
        await self._serving.aclose()
        await self._watching.aclose()

    def received(self, message: tuple[Any, ...], descriptor: int | None) -> None:
        kind, *arguments = message
        match kind:
            case "call":
                (call,) = arguments
                if {call.tag, call.id} & {*self._users.values()}:
                    self._know(call)
                    self.relay.on_call(call)
            case "join":
                self._join(*arguments)
            case "measure":
                self._measure(*arguments)
            case "leave":
                (number,) = arguments
                self._leave(number)
            case "serve":
                self._take_over(descriptor, *arguments)
            case "end":
                self._end(*arguments)
            case "target":
                self._answered(*arguments)
            case "stop":
                self._stop()
            case "count":
                self.send("counts", self.relay.counts)
            case _:
                raise ValueError(f"unknown message: {kind}")

    def send(self, *message: Any) -> None:
        self._channel.send(*message)

    def send_sound(self, number: int, sound: bytes, at_most: int) -> None:
        if self._channel.waiting_bytes <= _MOST_WAITING:
            self.send("play", number, sound, at_most)
        else:
            self.relay.counts.dropped_bytes += len(sound)

    def finished(self, number: int, end: End, drain: bool) -> None:
        self._released(number)
        self.send("finish", number, end, drain)

    def _use(self, number: int, call: Call) -> None:
        self._users[number] = call.tag or call.id
        self._know(call)

    def _know(self, call: Call) -> None:
        self._calls[call.id] = call
        if call.tag:  # its id before Vapi answered
            self._calls[f"unknown-{call.tag}"] = call

    def _released(self, number: int) -> None:
        """Forgets a call that nobody here uses any more."""
        self._sinks.pop(number, None)
        used = self._users.pop(number, None)
        if used and used not in self._users.values():
            self._calls = {known: call for known, call in self._calls.items() if used not in (call.tag, call.id)}

    def _join(self, number: int, call: Call, sound: bool, events: bool) -> None:
        self._use(number, call)
        try:
            self._sinks[number] = self.relay.join(call.id, lambda leave: _Sink(leave, host=self, number=number, sound=sound, events=events))
        except CallNotRunning:
            self.finished(number, "call ended", True)

    def _measure(self, number: int, call: Call, before: Measured | None) -> None:
        self._use(number, call)
        publish = partial(self._publish, number)
        try:
            self._sinks[number] = self.relay.join(call.id, partial(Measurer, publish=publish, before=before))
        except CallNotRunning:
            publish(before, True)

    def _publish(self, number: int, measured: Measured | None, last: bool) -> None:
        if last:
            self._released(number)
        self.send("measured", number, measured, last)

    def _leave(self, number: int) -> None:
        if sink := self._sinks.get(number):
            sink.close()

    def _take_over(self, descriptor: int | None, number: int, call: Call, heartbeat: float, unread: bytes) -> None:
        self._use(number, call)
        self._closings[number] = asyncio.get_running_loop().create_future()  # before serving: the message that ends it may be here already
        self._serving.start(self._serve_socket(descriptor, number, call, heartbeat, unread), name="serve a listener")

    async def _serve_socket(self, descriptor: int | None, number: int, call: Call, heartbeat: float, unread: bytes) -> None:
        closing = self._closings[number]
        try:
            if descriptor is not None:  # else it was lost: this process has no free descriptors
                await self._serve(self, descriptor, call.id, heartbeat, unread, closing)
        finally:
            del self._closings[number]
            self._released(number)
            self.send("served", number)

    def _end(self, number: int, code: int, reason: str) -> None:
        if (closing := self._closings.get(number)) and not closing.done():
            closing.set_result((code, reason))

    async def _target(self, call_id: str) -> ListenTarget:
        self._asked_count += 1
        number = self._asked_count
        answer: asyncio.Future[ListenTarget] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self.send("target", number, call_id)
        try:
            return await answer
        finally:
            del self._asked[number]

    def _answered(self, number: int, found: ListenTarget | None, detail: str, retryable: bool) -> None:
        answer = self._asked.get(number)
        if answer is None or answer.done():
            return
        if found:
            answer.set_result(found)
        else:
            answer.set_exception(EarshotError(detail, retryable=retryable))

    def _hint(self, call_id: str) -> None:
        self.send("hint", call_id)

    def _heard(self, call_id: str, event: SpeechEvent) -> None:
        self.send("heard", call_id, event)


class _Sink:
    """Passes on what comes to a sink of the main process."""

    def __init__(self, leave: Callable[["_Sink"], None], *, host: RelayHost, number: int, sound: bool, events: bool) -> None:
        self.end: End | None = None
        self._leave = leave
        self._host = host
        self._number = number
        self._sound, self._events = sound, events

    def tell(self, event: str) -> None:
        if self._events:
            self._host.send("tell", self._number, event)

    def play(self, sound: bytes, *, at_most: int) -> None:
        if self._sound:
            self._host.send_sound(self._number, sound, at_most)

    def finish(self, end: End, *, drain: bool) -> None:
        if self.end is None:
            self.end = end
            self._host.finished(self._number, end, drain)

    def close(self) -> None:
        """The sink has left there."""
        self.finish("left", drain=False)
        self._leave(self)
