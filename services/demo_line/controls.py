"""Executes control messages during an answered call: say, add-message, mute and unmute, first message, transfer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from services.demo_line.speech import Body, Turn, events_of

UNDERSTOOD = "Of course."
"""What the assistant says to an instruction, which is for its ears alone."""

_CHARACTERS_PER_SECOND = 15
_SHORTEST_TURN_S = 0.4


class Controls:
    """The controls of one call. `clock` returns the seconds since the answer, `end` ends the call. `forward` hands it over, and returns the
    seconds until the other two hang up.

    `turns` are the assistant's turns that are not part of the recorded conversation. While `muted` is true the assistant is silent.
    """

    def __init__(
        self, *, clock: Callable[[], float], first_message: str, forward: Callable[[], Awaitable[float]], end: Callable[[str], None]
    ) -> None:
        self.turns: list[Turn] = []
        self.muted = False
        self._clock = clock
        self._first_message = first_message
        self._forward = forward
        self._end = end
        self._listeners: set[asyncio.Queue[Body]] = set()
        self._speaking = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def execute(self, control: Body) -> None:
        """Starts to execute a message. Turns are spoken one after the other."""
        task = asyncio.create_task(self._execute(control))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @contextmanager
    def subscribe(self) -> Iterator[asyncio.Queue[Body]]:
        """A queue of the events of all turns from now on."""
        queue: asyncio.Queue[Body] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    def close(self) -> None:
        """Stops whatever is being spoken."""
        for task in self._tasks:
            task.cancel()

    async def _execute(self, control: Body) -> None:
        match control:
            case {"type": "say", "content": str(text)}:
                await self._say(text)
                if control.get("endCallAfterSpoken") is True:
                    self._end("assistant-ended-call-after-message-spoken")
            case {"type": "add-message", "message": {"content": str()}} if control.get("triggerResponseEnabled", True):
                await self._say(UNDERSTOOD)
            case {"type": "control", "control": "mute-assistant" | "unmute-assistant" as which}:
                self.muted = which == "mute-assistant"
            case {"type": "control", "control": "say-first-message"}:
                await self._say(self._first_message)
            case {"type": "transfer"}:
                await self._transfer(control.get("content"))

    async def _say(self, text: str) -> None:
        async with self._speaking:
            start = self._clock()
            seconds = max(_SHORTEST_TURN_S, len(text) / _CHARACTERS_PER_SECOND)
            turn = Turn(role="assistant", text=text, start=start, end=start + seconds)
            for at, event in events_of(turn):
                await asyncio.sleep(at - self._clock())
                self._publish(event)
            self.turns.append(turn)

    async def _transfer(self, text: object) -> None:
        if isinstance(text, str) and text:
            await self._say(text)
        seconds = await self._forward()
        self._publish({"type": "status-update", "status": "forwarding"})
        await asyncio.sleep(seconds)
        self._end("assistant-forwarded-call")

    def _publish(self, event: Body) -> None:
        for queue in self._listeners:
            queue.put_nowait(event)
