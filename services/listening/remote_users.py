"""Who uses the relay in its own process, as the main process sees them. `number` names each in the messages between the two."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from services.domain.call import Call
from services.listening.listener import End, Sink
from services.listening.measurer import Publish
from services.measures.measured import Measured

Give = Callable[[], Awaitable[tuple[socket.socket, bytes]]]
"""Gives up an open WebSocket: returns its connection, and what it has received of a message that is not complete."""

Closing = Callable[[], Awaitable[tuple[int, str]]]
"""Returns the code and the reason with which a WebSocket shall be closed, when it shall be."""

_INTERRUPTED = '{"type":"stream","state":"interrupted"}'


@dataclass(slots=True)
class Joined:
    """A sink of the main process."""

    call_id: str
    sink: Sink
    sound: bool
    events: bool

    def request(self, number: int, call: Call) -> tuple[Any, ...]:
        return "join", number, call, self.sound, self.events

    def take(self, kind: str, what: Any, at_most: int = 0) -> None:
        if kind == "play":
            self.sink.play(what, at_most=at_most)
        else:
            self.sink.tell(what)

    def interrupted(self) -> None:
        if self.events:
            self.sink.tell(_INTERRUPTED)

    def finish(self, end: End, *, drain: bool) -> None:
        self.sink.finish(end, drain=drain)


@dataclass(slots=True)
class Measuring:
    """A call that is measured there. Its next process continues from the `latest` figures."""

    call_id: str
    publish: Publish
    latest: Measured | None
    ending: bool = False

    def request(self, number: int, call: Call) -> tuple[Any, ...]:
        return "measure", number, call, self.latest

    def take(self, _kind: str, measured: Measured | None, last: bool) -> None:
        self.latest = measured
        self.publish(measured, last)

    def interrupted(self) -> None:
        if self.ending:
            self.publish(self.latest, True)
        # Else the missing sound is noticed when measuring continues.

    def finish(self, _end: End, *, drain: bool) -> None:
        self.publish(self.latest, True)


@dataclass(slots=True)
class Served:
    """A listener's WebSocket, which lives there."""

    call_id: str
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, _kind: str) -> None:
        self.over.set()

    def interrupted(self) -> None:
        self.over.set()

    def finish(self, _end: End, *, drain: bool) -> None:
        self.over.set()
