"""What a call does when it is told something by its control URL: the assistant says it, answers it, falls silent, or hands over."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from services.demo_line.speech import Body, Turn, events_of

FORWARDING_SECONDS = 3.0
"""From the hand-over until the assistant is out of the call."""

_CHARACTERS_PER_SECOND = 15
_QUICKEST = 0.4  # seconds


class Controls:
    """The controls of one answered call. `clock` gives the seconds since the answer, `forward` and `end` take the call on.

    `turns` is what the assistant said beyond its conversation; while `muted` nobody hears it.
    """

    def __init__(
        self, *, clock: Callable[[], float], first_message: str, forward: Callable[[], object], end: Callable[[str], None]
    ) -> None:
        self.turns: list[Turn] = []
        self.muted = False
        self._clock = clock
        self._first_message = first_message
        self._forward = forward
        self._end = end
        self._listeners: set[asyncio.Queue[Body]] = set()
        self._floor = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, control: Body) -> None:
        """Begins to do what is asked; one thing is said after the other."""
        task = asyncio.create_task(self._do(control))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @contextmanager
    def heard(self) -> Iterator[asyncio.Queue[Body]]:
        """The events of what is said from now on."""
        queue: asyncio.Queue[Body] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    def close(self) -> None:
        """Breaks off whatever is being said."""
        for task in self._tasks:
            task.cancel()

    async def _do(self, control: Body) -> None:
        match control:
            case {"type": "say", "content": str(words)}:
                await self._say(words)
                if control.get("endCallAfterSpoken") is True:
                    self._end("assistant-ended-call-after-message-spoken")
            case {"type": "add-message", "message": {"content": str(words)}} if control.get("triggerResponseEnabled", True):
                await self._say(f"Understood. {words}")
            case {"type": "control", "control": "mute-assistant" | "unmute-assistant" as which}:
                self.muted = which == "mute-assistant"
            case {"type": "control", "control": "say-first-message"}:
                await self._say(self._first_message)
            case {"type": "transfer"}:
                await self._hand_over(control.get("content"))

    async def _say(self, words: str) -> None:
        async with self._floor:
            start = self._clock()
            seconds = max(_QUICKEST, len(words) / _CHARACTERS_PER_SECOND)
            turn = Turn(role="assistant", text=words, start=start, end=start + seconds)
            for at, event in events_of(turn):
                await asyncio.sleep(at - self._clock())
                self._tell(event)
            self.turns.append(turn)

    async def _hand_over(self, words: object) -> None:
        if isinstance(words, str) and words:
            await self._say(words)
        self._forward()
        self._tell({"type": "status-update", "status": "forwarding"})
        await asyncio.sleep(FORWARDING_SECONDS)
        self._end("assistant-forwarded-call")

    def _tell(self, event: Body) -> None:
        for queue in self._listeners:
            queue.put_nowait(event)
