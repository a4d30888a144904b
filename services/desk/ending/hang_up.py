"""Hangs up until it is certain: sends `end-call` repeatedly; only a read of the call proves that it ended."""

import asyncio
import logging

from services.domain.call import Call
from services.domain.errors import HangUpUnconfirmed, VapiError, VapiUnauthorized
from services.support.log_lines import about
from services.support.traces import span
from services.vapi.gateway import Gateway

log = logging.getLogger(__name__)

_PAUSES = (0.15, 0.3, 0.5, 1.0)  # seconds before each read after an `end-call`
_ROUNDS = 30  # about a minute in all


async def hang_up(gateway: Gateway, call_id: str) -> Call:
    """Sends `end-call` and reads until the call has ended. Repeating is harmless: a call ends once.

    Raises HangUpUnconfirmed with Vapi's explanation if the call has not ended after a minute.
    """
    with span("hang up") as traced:
        traced.note({"earshot.call_id": call_id})
        return await _hang_up(gateway, call_id)


async def _hang_up(gateway: Gateway, call_id: str) -> Call:
    problem: VapiError | None = None
    for _ in range(_ROUNDS):
        try:
            await gateway.end_call(call_id)
            problem = None
        except VapiError as error:
            # A refusal may mean that the call has ended or was not answered yet: the reads below decide.
            log.warning("end-call failed (%s)", error.code, extra=about(call_id))
            problem = error
        for pause in _PAUSES:
            await asyncio.sleep(pause)
            try:
                call = await gateway.get_call(call_id)
            except VapiError as error:
                log.warning("could not read a call during hang-up (%s)", error.code, extra=about(call_id))
                problem = problem or error
                continue
            if not call.running:
                return call
        if isinstance(problem, VapiUnauthorized) or (problem and problem.code == "monitor_refused"):
            break
    why = f" Vapi says: {problem.detail}" if problem else ""
    raise HangUpUnconfirmed(
        f"The call may still be running: Vapi has not ended it.{why} Press End call again, or end it in the Vapi dashboard."
    )
