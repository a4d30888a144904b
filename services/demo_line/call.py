"""One call on the demo line, from queued to ended. It runs whether anybody listens or not."""

import asyncio
import logging
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.demo_line.cast import Cast
from services.demo_line.controls import Controls
from services.demo_line.conversation import FRAME_SECONDS, Conversation
from services.demo_line.lines import Lines
from services.demo_line.numbers import VOICEMAIL_AFTER_S, behaviour_of
from services.demo_line.playing import Playing
from services.demo_line.responses import FIRST_MESSAGE, Body, final_fields, monitor_plan, new_call, stamp
from services.demo_line.sounds import Sounds
from services.demo_line.validation import earliest_at, max_seconds
from services.demo_line.voicemail import TALKS_ON_S, detects

_log = logging.getLogger(__name__)

STALL_SECONDS = 2.0
_QUEUE_SECONDS = 0.4


class DemoCall:
    """A call, and the task that moves it through its states.

    `body` is the call as GET returns it. `answered` resolves to the conversation that is played once somebody picks up, and never if
    nobody does. `close_code` resolves to the code that the call's sockets are closed with: 1000 when the call has ended, 1001 when the
    server is closed during the call.
    """

    def __init__(
        self,
        order: Body,
        *,
        org_id: str,
        base_url: str,
        ring_seconds: float,
        sounds: Sounds,
        lines: Lines,
        assistants: Sequence[Body] = (),
    ) -> None:
        loop = asyncio.get_running_loop()
        now = _now()
        earliest = earliest_at(order)
        self.id = str(_uuid7(now))
        self.behaviour = behaviour_of(order["customer"].get("number", ""))
        self.monitor_plan = monitor_plan(order)
        self.controls_received: list[Body] = []
        self.answered: asyncio.Future[Playing] = loop.create_future()
        self.close_code: asyncio.Future[int] = loop.create_future()
        self._scheduled_for = earliest if earliest and earliest > now else None
        self._ring_seconds = ring_seconds * self.behaviour.ring
        self._transfer_ring_seconds = ring_seconds
        self._sounds = sounds
        self._lines = lines
        self._holds_line = self._scheduled_for is None and lines.try_take()
        self._cast = Cast(order, assistants)
        self._max_seconds = max_seconds(order)
        self._answered_clock = 0.0
        self._started_at: datetime | None = None
        self._updated_at = now
        self._recorded_seconds = 0.0
        self.body = new_call(order, call_id=self.id, org_id=org_id, base_url=base_url, created_at=now)
        self.body["status"] = "scheduled" if self._scheduled_for else "queued"
        self.controls = Controls(
            clock=lambda: time.monotonic() - self._answered_clock,
            first_message=self._cast.first_message,
            forward=self._forward,
            end=self._finish,
        )
        self._task = asyncio.create_task(self._run())

    @property
    def ended(self) -> bool:
        return self.close_code.done()

    @property
    def recorded_seconds(self) -> float:
        """The length of the recording; 0 before the end, without an answer, and if the call is not recorded."""
        return self._recorded_seconds if self.ended else 0.0

    @property
    def blocked(self) -> bool:
        """True while the call waits for one of the account's lines."""
        return self.body["status"] == "queued" and not self._holds_line

    async def _run(self) -> None:
        try:
            reason = await self._until_end()
        except Exception:
            _log.exception("A call on the demo line failed")
            reason = "call.in-progress.error-vapifault-worker-died"
        self._end(reason)

    async def _until_end(self) -> str:
        if self._scheduled_for:
            await asyncio.sleep((self._scheduled_for - _now()).total_seconds())
            self._move("queued")
        if not self._holds_line:
            await self._lines.take()
            self._holds_line = True
        at_48k, file = self.behaviour.unannounced_48k, self._sounds.of(self.behaviour)
        file.preload(at_48k=at_48k)
        await asyncio.sleep(_QUEUE_SECONDS)
        self._move("ringing")
        await asyncio.sleep(self._ring_seconds)
        if self.behaviour.unanswered:
            return self.behaviour.unanswered
        conversation = await file.conversation(at_48k=at_48k)
        if self._cast.first_message not in ("", FIRST_MESSAGE):
            conversation = conversation.beginning_with(self._cast.first_message)
        self._pick_up(conversation)
        talk = self._at_the_machine(conversation.seconds) if self.behaviour.voicemail else self._with_somebody(conversation.seconds)
        try:
            async with asyncio.timeout(self._max_seconds):
                return await talk
        except TimeoutError:
            return "exceeded-max-duration"

    async def _with_somebody(self, seconds: float) -> str:
        await asyncio.sleep(seconds)
        return "customer-ended-call"

    async def _at_the_machine(self, greeting_seconds: float) -> str:
        """Hangs up, leaves a message after the tone, or takes the machine for a person."""
        if not detects(self._cast.settings):
            await asyncio.sleep(greeting_seconds)
            await self.controls.say(self._cast.first_message)
            await asyncio.sleep(TALKS_ON_S)
            return "silence-timed-out"
        await asyncio.sleep(VOICEMAIL_AFTER_S)
        if message := self._cast.said("voicemailMessage"):
            await asyncio.sleep(greeting_seconds - VOICEMAIL_AFTER_S)
            await self.controls.say(message)
        return "voicemail"

    def _pick_up(self, conversation: Conversation) -> None:
        self._answered_clock = time.monotonic()
        self._started_at = self._move("in-progress")
        self.body["startedAt"] = stamp(self._started_at)
        self.answered.set_result(Playing(conversation))

    async def _forward(self) -> float:
        """Rings somebody else, who answers. Returns the seconds until the two hang up, which the conversation no longer decides."""
        self._move("forwarding")
        self._task.cancel()
        other = await self._sounds.transferred(ring_seconds=self._transfer_ring_seconds, at_48k=self.behaviour.unannounced_48k)
        self.answered.result().switch(self.position() + 1, other)
        return min(other.seconds, self._max_seconds)

    def position(self) -> int:
        """The index of the frame that is being spoken now."""
        return int((time.monotonic() - self._answered_clock) / FRAME_SECONDS)

    def seconds_until(self, frame: int) -> float:
        """Seconds until a frame is sent: when its last sample has been spoken, or at the end of the stall that it falls into."""
        at = (frame + 1) * FRAME_SECONDS
        stall = self.behaviour.stalls_at
        if stall is not None and stall < at <= stall + STALL_SECONDS:
            at = stall + STALL_SECONDS
        return self._answered_clock + at - time.monotonic()

    def breaks_before(self, frame: int) -> bool:
        """True if the stream breaks before this frame, for everybody who listens at that moment."""
        return self.behaviour.drops_at is not None and frame == round(self.behaviour.drops_at / FRAME_SECONDS)

    def receive(self, control: Body, takes_over: Body | None = None) -> None:
        """Executes a message to the control URL. Before the call is answered, only `end-call` has an effect. `takes_over` is the assistant
        that a handoff names."""
        self.controls_received.append(control)
        if control["type"] == "end-call":
            self._finish("manually-canceled")
        elif self._started_at and takes_over:
            self.controls.hand_over(str(takes_over["name"]), self._cast.takes_over(takes_over), before=str(control.get("content") or ""))
        elif self._started_at:
            self.controls.execute(control)

    def _finish(self, reason: str) -> None:
        """Ends the call at once, in any state."""
        self._task.cancel()
        self._end(reason)

    def _end(self, reason: str) -> None:
        if self.close_code.done():
            return
        ended_at = self._move("ended")
        if self._holds_line:
            self._holds_line = False
            self._lines.give_back()
        playing = self.answered.result() if self.answered.done() else None
        self.body |= {"endedAt": stamp(ended_at), "endedReason": reason}
        final = final_fields(
            playing,
            self.controls.turns,
            call_id=self.id,
            started_at=self._started_at,
            ended_at=ended_at,
            assistants=self._cast.names,
            recorded=self._cast.recorded,
        )
        self.body["monitor"] |= {"monitors": final.pop("monitors", [])}
        self.body |= final
        if playing and self._started_at and self._cast.recorded:
            self._recorded_seconds = (ended_at - self._started_at).total_seconds()
        self.close_code.set_result(1000)
        self.controls.close()

    def _move(self, status: str) -> datetime:
        """Changes the state. `updatedAt` grows by at least a millisecond each time."""
        self._updated_at = max(_now(), self._updated_at + timedelta(milliseconds=1))
        self.body |= {"status": status, "updatedAt": stamp(self._updated_at)}
        return self._updated_at

    async def close(self) -> None:
        """Stops the call's task and disconnects its listeners. The call keeps its state."""
        self._task.cancel()
        self.controls.close()
        if not self.close_code.done():
            self.close_code.set_result(1001)
        await asyncio.wait([self._task])


def _now() -> datetime:
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _uuid7(moment: datetime) -> UUID:
    """RFC 9562, section 5.7: milliseconds since 1970, then random bits."""
    value = round(moment.timestamp() * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
    return UUID(int=value & ~(0xF << 76) & ~(0b11 << 62) | 0x7 << 76 | 0b10 << 62)
