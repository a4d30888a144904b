"""Executes control messages during an answered call: say, add-message, mute and unmute, first message, transfer, handoff."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager

from services.demo_line.speech import Body, Turn, cut_short, events_of

UNDERSTOOD = "Of course."
"""What the assistant says to an instruction, which is for its ears alone."""

_CHARACTERS_PER_SECOND = 15
_SHORTEST_TURN_S = 0.4


class Controls:
    """The controls of one call. `clock` returns the seconds since the answer, `end` ends the call. `forward` hands it over, and returns the
    seconds until the other two hang up.

    `turns` are the assistant's turns that are not part of the recorded conversation.
    """

    def __init__(
        self, *, clock: Callable[[], float], first_message: str, forward: Callable[[], Awaitable[float]], end: Callable[[str], None]
    ) -> None:
        self.turns: list[Turn] = []
        self._customer_muted = False
        self._muted = False
        self._handed_over = False
        self._interrupting = 0
        self._interruptions = 0
        self._cut = asyncio.Event()  # of the turn that is being spoken
        self._clock = clock
        self._first_message = first_message
        self._forward = forward
        self._end = end
        self._listeners: set[asyncio.Queue[Body]] = set()
        self._speaking = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def silent_roles(self) -> frozenset[str]:
        """Who is not heard of the recorded conversation, in Vapi's words: the customer if muted; the assistant if muted, interrupted, or if
        another one has taken over."""
        assistant = self._muted or self._handed_over or bool(self._interrupting)
        return frozenset((["user"] if self._customer_muted else []) + (["assistant"] if assistant else []))

    def execute(self, control: Body) -> None:
        """Starts to execute a message. Turns are spoken one after the other, unless one is to interrupt the others."""
        self._start(self._execute(control))

    def hand_over(self, name: str, first_message: str, *, before: str) -> None:
        """Another assistant takes over, once this one has said what it says `before`, and introduces itself."""
        self._start(self._hand_over(name, first_message, before))

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

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _execute(self, control: Body) -> None:
        match control:
            case {"type": "say", "content": str(text)}:
                await (self._interrupt if control.get("interruptAssistantEnabled") is True else self.say)(text)
                if control.get("endCallAfterSpoken") is True:
                    self._end("assistant-ended-call-after-message-spoken")
            case {"type": "add-message", "message": {"content": str()}} if control.get("triggerResponseEnabled", True):
                await self.say(UNDERSTOOD)
            case {"type": "control", "control": "mute-assistant" | "unmute-assistant" as which}:
                self._muted = which == "mute-assistant"
            case {"type": "control", "control": "mute-customer" | "unmute-customer" as which}:
                self._customer_muted = which == "mute-customer"
            case {"type": "control", "control": "say-first-message"}:
                await self.say(self._first_message)
            case {"type": "transfer"}:
                await self._transfer(control.get("content"))

    async def say(self, text: str) -> None:
        """Returns once it is said, or interrupted."""
        before = self._interruptions
        async with self._speaking:
            if self._interruptions != before:
                return
            start = self._clock()
            seconds = max(_SHORTEST_TURN_S, len(text) / _CHARACTERS_PER_SECOND)
            turn = Turn(role="assistant", text=text, start=start, end=start + seconds)
            self._cut = asyncio.Event()
            for at, event in events_of(turn):
                if await self._cut_before(at):
                    turn = cut_short(turn, self._clock())
                    self._publish_end(turn)
                    break
                self._publish(event)
            self.turns.append(turn)

    async def _cut_before(self, at: float) -> bool:
        """Waits until `at`. True if the turn is cut short before."""
        try:
            async with asyncio.timeout(max(0.0, at - self._clock())):
                await self._cut.wait()
        except TimeoutError:
            return self._cut.is_set()
        return True

    async def _interrupt(self, text: str) -> None:
        """Says it at once: what is being said is cut short, what waits is dropped, and the recorded assistant is silent meanwhile."""
        self._interrupting += 1
        self._interruptions += 1
        try:
            self._cut.set()
            await self.say(text)
        finally:
            self._interrupting -= 1

    async def _hand_over(self, name: str, first_message: str, before: str) -> None:
        if before:
            await self.say(before)
        self._handed_over = True
        self._publish({"type": "assistant.started", "newAssistant": {"name": name}})
        if first_message:
            await self.say(first_message)

    async def _transfer(self, text: object) -> None:
        if isinstance(text, str) and text:
            await self.say(text)
        seconds = await self._forward()
        self._publish({"type": "status-update", "status": "forwarding"})
        await asyncio.sleep(seconds)
        self._end("assistant-forwarded-call")

    def _publish_end(self, turn: Turn) -> None:
        for _, event in list(events_of(turn))[-2:]:
            self._publish(event)

    def _publish(self, event: Body) -> None:
        for queue in self._listeners:
            queue.put_nowait(event)
