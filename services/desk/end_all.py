"""Ends all running calls at once."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Protocol

from services.domain.call import Call
from services.domain.client import Client
from services.domain.errors import EarshotError

log = logging.getLogger(__name__)


class CallEnder(Protocol):
    """The part of the desk that ending all calls needs."""

    def calls(self) -> list[Call]: ...
    async def caught_up(self) -> None: ...
    async def end(self, call_id: str, client: Client) -> Call: ...
    def note(self, client: Client, action: str, call: Call | None = None, *, outcome: str = "") -> object: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AllEnded:
    """The result. `unconfirmed` are calls that may still be running, each with the reason in one sentence."""

    ended: tuple[Call, ...]
    unconfirmed: tuple[tuple[Call, str], ...]


async def end_all(desk: CallEnder, client: Client) -> AllEnded:
    """Hangs up every running call, and returns once each has ended or failed to. A failure does not affect the other calls.

    If the caller is cancelled, the desk continues to hang up.
    """
    await desk.caught_up()
    running = [call for call in desk.calls() if call.running]
    outcomes = await asyncio.gather(*(_end(desk, call, client) for call in running))
    ended = tuple(outcome for outcome in outcomes if isinstance(outcome, Call))
    unconfirmed = tuple((call, outcome) for call, outcome in zip(running, outcomes, strict=True) if isinstance(outcome, str))
    desk.note(client, "end-all", outcome=f"{len(ended)} ended, {len(unconfirmed)} unconfirmed")
    return AllEnded(ended=ended, unconfirmed=unconfirmed)


async def _end(desk: CallEnder, call: Call, client: Client) -> Call | str:
    try:
        return await desk.end(call.id, client)
    except EarshotError as error:
        return error.detail
    except Exception:
        log.exception("could not end a call")
        return "Something went wrong in Earshot. The log tells more."
