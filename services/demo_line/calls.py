"""One call on the demo line, from queued to ended, on a clock of its own: it goes on whether anyone listens or not."""

import asyncio
import logging
import os
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.demo_line.answers import FIRST_MESSAGE, Body, monitor_plan, outcome, placed, stamp
from services.demo_line.checks import earliest_at, max_seconds
from services.demo_line.controls import Controls
from services.demo_line.conversation import FRAME_SECONDS, Conversation, Tape
from services.demo_line.numbers import behaviour_of

_log = logging.getLogger(__name__)

STALL_SECONDS = 2.0
_QUEUE_SECONDS = 0.4


class DemoCall:
    """A call, and the task that takes it through its states.

    `body` is the call as GET answers it. `answered` resolves to what is played once somebody picks up, and never if nobody does;
    `over` resolves to the code that its sockets are closed with: 1000 when it has ended, 1001 when the line closes under it.
    """

    def __init__(self, order: Body, *, org_id: str, base_url: str, ring_seconds: float, tape: Tape) -> None:
        loop = asyncio.get_running_loop()
        now = _now()
        due = earliest_at(order)
        self.id = str(_uuid7(now))
        self.behaviour = behaviour_of(order["customer"]["number"])
        self.monitor_plan = monitor_plan(order)
        self.taken: list[Body] = []
        self.answered: asyncio.Future[Conversation] = loop.create_future()
        self.over: asyncio.Future[int] = loop.create_future()
        self._scheduled_for = due if due and due > now else None
        self._ring_seconds = ring_seconds * self.behaviour.ring
        self._max_seconds = max_seconds(order)
        self._tape = tape
        self._answered_clock = 0.0
        self._started_at: datetime | None = None
        self._updated_at = now
        self.body = placed(order, call_id=self.id, org_id=org_id, base_url=base_url, created_at=now)
        self.body["status"] = "scheduled" if self._scheduled_for else "queued"
        self.controls = Controls(
            clock=lambda: time.monotonic() - self._answered_clock,
            first_message=(order.get("assistantOverrides") or {}).get("firstMessage") or FIRST_MESSAGE,
            forward=lambda: self._move("forwarding"),
            end=self._finish,
        )
        self._course = asyncio.create_task(self._take_its_course())

    @property
    def ended(self) -> bool:
        return self.over.done()

    @property
    def busy(self) -> bool:
        """Whether the call occupies one of the account's lines."""
        return self.body["status"] not in ("scheduled", "ended")

    async def _take_its_course(self) -> None:
        try:
            reason = await self._reason_to_end()
        except Exception:
            _log.exception("A call on the demo line broke down")
            reason = "call.in-progress.error-vapifault-worker-died"
        self._end(reason)

    async def _reason_to_end(self) -> str:
        if self._scheduled_for:
            await asyncio.sleep((self._scheduled_for - _now()).total_seconds())
            self._move("queued")
        wide = self.behaviour.unannounced_48k
        self._tape.wind(wide=wide)
        await asyncio.sleep(_QUEUE_SECONDS)
        self._move("ringing")
        await asyncio.sleep(self._ring_seconds)
        if self.behaviour.unanswered:
            return self.behaviour.unanswered
        conversation = await self._tape.conversation(wide=wide)
        self._pick_up(conversation)
        seconds, reason = self.behaviour.ends or (conversation.seconds, "customer-ended-call")
        await asyncio.sleep(min(seconds, self._max_seconds))
        return reason if seconds <= self._max_seconds else "exceeded-max-duration"

    def _pick_up(self, conversation: Conversation) -> None:
        self._answered_clock = time.monotonic()
        self._started_at = self._move("in-progress")
        self.body["startedAt"] = stamp(self._started_at)
        self.answered.set_result(conversation)

    def position(self) -> int:
        """The frame that is being spoken now."""
        return int((time.monotonic() - self._answered_clock) / FRAME_SECONDS)

    def seconds_until(self, frame: int) -> float:
        """How long until a frame is sent: once its last sample is spoken, or when a stall that it falls into is over."""
        at = (frame + 1) * FRAME_SECONDS
        stall = self.behaviour.stalls_at
        if stall is not None and stall < at <= stall + STALL_SECONDS:
            at = stall + STALL_SECONDS
        return self._answered_clock + at - time.monotonic()

    def drops_before(self, frame: int) -> bool:
        """Whether the stream breaks there, for those who listen at that moment."""
        return self.behaviour.drops_at is not None and frame == round(self.behaviour.drops_at / FRAME_SECONDS)

    def obey(self, control: Body) -> None:
        """Does what the control URL was told; nobody is there to do anything before the answer, but to hang up."""
        self.taken.append(control)
        if control["type"] == "end-call":
            self._finish("manually-canceled")
        elif self._started_at:
            self.controls.take(control)

    def _finish(self, reason: str) -> None:
        """Ends the call at once, in whatever state it is."""
        self._course.cancel()
        self._end(reason)

    def _end(self, reason: str) -> None:
        if self.over.done():
            return
        ended_at = self._move("ended")
        conversation = self.answered.result() if self.answered.done() else None
        self.body |= {"endedAt": stamp(ended_at), "endedReason": reason}
        self.body |= outcome(conversation, self.controls.turns, started_at=self._started_at, ended_at=ended_at)
        self.over.set_result(1000)
        self.controls.close()

    def _move(self, status: str) -> datetime:
        """To the next state; `updatedAt` moves with each, by a millisecond at least."""
        self._updated_at = max(_now(), self._updated_at + timedelta(milliseconds=1))
        self.body |= {"status": status, "updatedAt": stamp(self._updated_at)}
        return self._updated_at

    async def close(self) -> None:
        """Leaves the call as it is and lets go of its task and its listeners."""
        self._course.cancel()
        self.controls.close()
        if not self.over.done():
            self.over.set_result(1001)
        await asyncio.wait([self._course])


def _now() -> datetime:
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _uuid7(moment: datetime) -> UUID:
    """RFC 9562, section 5.7: milliseconds since 1970, then chance."""
    value = round(moment.timestamp() * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
    return UUID(int=value & ~(0xF << 76) & ~(0b11 << 62) | 0x7 << 76 | 0b10 << 62)
