"""Ends all running calls at once, also those that are being dialled at this moment, here or by another process."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.domain.call import Call, CallStatus
from services.domain.client import Client, Scope
from services.domain.errors import EarshotError
from services.domain.permissions import require_any_call
from services.journal import Dial
from services.support.log_lines import about

log = logging.getLogger(__name__)

_IN_FLIGHT = "Earshot does not know yet whether this call was placed. It hangs up as soon as that is known."


class CallEnder(Protocol):
    """The part of the desk that ending all calls needs."""

    async def find_running(self) -> list[Call]: ...
    async def hang_up_open_dials(self, client: Client) -> Sequence[Dial]: ...
    async def end(self, call_id: str, client: Client) -> Call: ...
    def note(self, client: Client, action: str, call: Call | None = None, *, outcome: str = "") -> object: ...


class Stopper(Protocol):
    """The part of the stop switch that ending all calls needs. `state` is not None while dialling is stopped."""

    @property
    def state(self) -> object | None: ...
    async def stop(self, who: str, why: str = "") -> object: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AllEnded:
    """The result. `unconfirmed` are calls that may still be running, each with the reason in one sentence."""

    ended: tuple[Call, ...]
    unconfirmed: tuple[tuple[Call, str], ...]


async def end_all(desk: CallEnder, switch: Stopper, client: Client) -> AllEnded:
    """Stops dialling, then hangs up every running call and cancels every scheduled one. Returns once each has ended or failed to.

    A failure does not affect the other calls. Dials without a known outcome are unconfirmed; the process that learns of
    their calls hangs them up. If the caller is cancelled, the desk continues to hang up. Dialling stays stopped. Raises Forbidden.
    """
    require_any_call(client, Scope.CONTROL)
    if switch.state is None:
        await switch.stop(client.name)
    # Dials first: one whose outcome becomes known in between is among the running calls.
    dials = await desk.hang_up_open_dials(client)
    found = await desk.find_running()
    running = [call for call in found if call.status is not CallStatus.UNKNOWN]
    outcomes = await asyncio.gather(*(_end(desk, call, client) for call in running))
    ended = tuple(outcome for outcome in outcomes if isinstance(outcome, Call))
    failed = [(call, outcome) for call, outcome in zip(running, outcomes, strict=True) if isinstance(outcome, str)]
    known = {call.tag for call in running}
    in_flight = {call.id: call for call in (*map(_in_flight, dials), *found) if call.status is CallStatus.UNKNOWN and call.tag not in known}
    unconfirmed = (*failed, *((call, _IN_FLIGHT) for call in in_flight.values()))
    desk.note(client, "end-all", outcome=f"{len(ended)} ended, {len(unconfirmed)} unconfirmed")
    return AllEnded(ended=ended, unconfirmed=unconfirmed)


async def _end(desk: CallEnder, call: Call, client: Client) -> Call | str:
    try:
        return await desk.end(call.id, client)
    except EarshotError as error:
        return error.detail
    except Exception:
        log.exception("could not end a call", extra=about(call.id))
        return "Something went wrong in Earshot. The log tells more."


def _in_flight(dial: Dial) -> Call:
    order = dial.order
    return Call(id=f"unknown-{order.tag}", status=CallStatus.UNKNOWN, to=order.to, tag=order.tag, created_at=dial.dialled_at)
