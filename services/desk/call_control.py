"""Controls running calls: checks whether that is possible, sends the control, and records the outcome."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from services.desk.calls.timeline import END
from services.dialling.dial_guard import DialGuard
from services.dialling.reach import Destination, Reach
from services.domain.call import Assistant, Call, CallStatus
from services.domain.client import Client
from services.domain.control import Action, Control
from services.domain.errors import CallNotRunning, EarshotError, HangUpUnconfirmed
from services.support.traces import span
from services.vapi.gateway import Gateway


class Note(Protocol):
    """Has the audit say what `client` did to a call (`Notes.note`); written once the returned task is done."""

    def __call__(
        self, client: Client, action: str, call: Call, *, outcome: str = "", detail: str = "", words: str = "", at: datetime | None = None
    ) -> asyncio.Task[None]: ...


class Obstacle(StrEnum):
    """Why a call can't be controlled now."""

    UNKNOWN = "unknown"
    """It is not yet known whether the call was placed."""
    NOT_ANSWERED = "not-answered"
    ENDED = "ended"
    NO_CONTROL = "no-control"
    """The assistant's monitor plan disables control, so Vapi gives no control URL."""


_DETAILS = {
    Obstacle.UNKNOWN: "Earshot is still checking whether this call was placed. It can be controlled once it is found.",
    Obstacle.NOT_ANSWERED: "This call has not been answered. Wait until somebody picks up.",
    Obstacle.ENDED: "This call has ended.",
}


_STOPPED = HangUpUnconfirmed("Earshot was stopped before Vapi confirmed that the call ended.")


class CallControl:
    """Controls the calls of one account. A transfer passes `reach` and the dial guard, and `count` counts it towards the caps.
    `look_up` counts a request to Vapi that a client causes, and raises LimitReached. `note` writes the audit.
    """

    def __init__(
        self,
        *,
        gateway: Gateway,
        guard: DialGuard,
        count: Callable[[Call, Destination, Client], Awaitable[None]],
        look_up: Callable[[Client], None],
        note: Note,
        reach: Reach,
    ) -> None:
        self._gateway = gateway
        self._guard = guard
        self._count = count
        self._look_up = look_up
        self._note = note
        self._reach = reach

    def obstacle(self, call: Call) -> Obstacle | None:
        """What prevents controlling the call now, as far as that is known without asking Vapi."""
        if not call.running:
            return Obstacle.ENDED
        if call.status is CallStatus.UNKNOWN:
            return Obstacle.UNKNOWN
        if not call.answered:
            return Obstacle.NOT_ANSWERED
        return None if self._gateway.has_control(call.id) else Obstacle.NO_CONTROL

    async def control(self, call: Call, control: Control, client: Client) -> None:
        """Returns once Vapi accepted it. Raises CallNotRunning, RequestError, NumberError, VapiError, and for a transfer the errors of
        the dial guard and the caps, for a handoff LimitReached."""
        obstacle = self.obstacle(call)
        if obstacle in _DETAILS:
            raise CallNotRunning(_DETAILS[obstacle])
        control.check()
        if control.action is Action.TRANSFER:
            destination = self._reach.destination(control.destination or "")
            self._guard.check_destination(destination.number, client)
            control = replace(control, destination=destination.address)
        else:
            destination = None
        takes_over = await self._assistant(control.assistant_id or "", client) if control.action is Action.HANDOFF else None
        if destination:
            await self._count(call, destination, client)
            # Again, because another process may have stopped dialling: the journal said so while counting.
            self._guard.check_destination(destination.number, client)
        at, action, detail = datetime.now(UTC), control.action.value, _detail(control, takes_over)
        try:
            with span("control call") as traced:
                traced.note({"earshot.call_id": call.id, "earshot.action": action})
                await self._gateway.control(call.id, control)
        except EarshotError as error:
            # It may have reached Vapi all the same.
            await asyncio.shield(self._note(client, action, call, outcome=error.code, detail=detail, words=error.detail, at=at))
            raise
        await asyncio.shield(self._note(client, action, call, detail=detail, at=at))

    async def _assistant(self, assistant_id: str, client: Client) -> Assistant:
        self._look_up(client)
        return await self._gateway.get_assistant(assistant_id)

    def note_when_done(self, hanging_up: asyncio.Task[Call], call: Call, client: Client) -> None:
        """Has the audit say that `client` hung up, once the outcome is known or Earshot stops."""
        at = datetime.now(UTC)

        def note(done: asyncio.Task[Call]) -> None:
            error = _STOPPED if done.cancelled() else done.exception()
            if error is None:
                self._note(client, END, call, at=at)
            elif isinstance(error, EarshotError):
                self._note(client, END, call, outcome=error.code, words=error.detail, at=at)
            else:
                self._note(client, END, call, outcome=EarshotError.code, words="Something went wrong in Earshot.", at=at)

        hanging_up.add_done_callback(note)


def _detail(control: Control, takes_over: Assistant | None) -> str:
    to = (takes_over.name or takes_over.id) if takes_over else control.destination
    return " · ".join(part for part in (to, control.content) if part)
