"""Telling a running call something: whether that can be done now, sending it, and noting down what came of it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from services.desk.timeline import END, Entry, Timelines
from services.dialling.dial_guard import DialGuard
from services.domain.call import Call, CallStatus
from services.domain.client import Client
from services.domain.control import Action, Control
from services.domain.errors import CallNotRunning, EarshotError
from services.domain.phone_number import PhoneNumber
from services.vapi.gateway import Gateway


class Audit(Protocol):
    """Writes into the audit that `client` did `action` with a call; done when the task is."""

    def __call__(self, client: Client, action: str, call: Call, *, outcome: str = "") -> asyncio.Task[None]: ...


class Obstacle(StrEnum):
    """Why a call can't be told anything now."""

    UNKNOWN = "unknown"
    """It is not known yet whether the call was placed."""
    NOT_ANSWERED = "not-answered"
    ENDED = "ended"
    NO_CONTROL = "no-control"
    """The assistant's monitor plan switches control off, so Vapi gives no address for it."""


_DETAILS = {
    Obstacle.UNKNOWN: "It is not known yet whether this call was placed. It can be steered as soon as it is found.",
    Obstacle.NOT_ANSWERED: "Only a call that was answered can be told something. Wait until somebody picks up.",
    Obstacle.ENDED: "This call has ended.",
}


class Steering:
    """Controls of the calls of one account. A transfer goes through the dial guard, and `count` counts its number against the caps;
    `audit` writes down who told a call what.
    """

    def __init__(
        self,
        *,
        gateway: Gateway,
        guard: DialGuard,
        count: Callable[[Call, PhoneNumber, Client], Awaitable[None]],
        timelines: Timelines,
        audit: Audit,
        also_numbers: frozenset[str],
    ) -> None:
        self._gateway = gateway
        self._guard = guard
        self._count = count
        self._timelines = timelines
        self._audit = audit
        self._also_numbers = also_numbers

    def obstacle(self, call: Call) -> Obstacle | None:
        """What keeps the call from being told something now, as far as that is known without asking Vapi."""
        if not call.running:
            return Obstacle.ENDED
        if call.status is CallStatus.UNKNOWN:
            return Obstacle.UNKNOWN
        if not call.answered:
            return Obstacle.NOT_ANSWERED
        return None if self._gateway.has_control(call.id) else Obstacle.NO_CONTROL

    async def control(self, call: Call, control: Control, client: Client) -> None:
        """Returns once Vapi took it. Raises CallNotRunning, RequestError, NumberError, VapiError, and of a transfer what the dial guard
        and the caps say."""
        obstacle = self.obstacle(call)
        if obstacle in _DETAILS:
            raise CallNotRunning(_DETAILS[obstacle])
        if control.action is Action.TRANSFER:
            number = control.called(also=self._also_numbers)
            await self._guard.admit_destination(number, client)
            control = replace(control, destination=number.e164) if number and not control.by_sip else control
        else:
            number = None
        control.check()
        if number:
            await self._count(call, number, client)
        at = datetime.now(UTC)
        try:
            await self._gateway.control(call.id, control)
        except EarshotError as error:
            self._note(call, control.action.value, client, at=at, detail=_detail(control), refused=error.detail)
            # It may have reached Vapi all the same.
            await asyncio.shield(self._audit(client, control.action.value, call, outcome=error.code))
            raise
        self._note(call, control.action.value, client, at=at, detail=_detail(control))
        await asyncio.shield(self._audit(client, control.action.value, call))

    def note_when_done(self, hanging_up: asyncio.Task[Call], call: Call, client: Client) -> None:
        """Has it stand in the call's timeline that `client` hung up, once it is known how that went."""
        at = datetime.now(UTC)

        def note(done: asyncio.Task[Call]) -> None:
            if not done.cancelled():
                error = done.exception()
                refused = (error.detail if isinstance(error, EarshotError) else "Something went wrong in Earshot.") if error else None
                self._note(call, END, client, at=at, refused=refused)

        hanging_up.add_done_callback(note)

    def _note(self, call: Call, action: str, client: Client, *, at: datetime, detail: str = "", refused: str | None = None) -> None:
        entry = Entry(
            at=at, action=action, who=client.name, detail=detail, outcome="taken" if refused is None else "refused", words=refused or ""
        )
        self._timelines.add(call.id, entry)


def _detail(control: Control) -> str:
    return " · ".join(part for part in (control.destination, control.content) if part)
