"""Cancels a scheduled call: deletes it at Vapi, which has no other way. A call that has begun is hung up and never deleted."""

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.desk.ending.hang_up import hang_up
from services.domain.call import CANCELLED, GONE, Call, CallStatus
from services.domain.errors import CallNotFound, HangUpUnconfirmed, VapiError
from services.support.log_lines import about
from services.vapi.gateway import Gateway

log = logging.getLogger(__name__)

_PAUSE = 0.5  # seconds between reads
_FIRST_PAUSE = 0.1  # seconds before the first read after a deletion, which usually shows it
_ROUNDS = 60
# Deleting does not hang up. Around its time a call may begin between our read and the deletion, so it is left to begin and hung up then.
_BEFORE, _AFTER = timedelta(seconds=5), timedelta(seconds=10)
_DELETED = (None, "scheduled-call-deleted", "call-deleted")
"""Why a call ended that Vapi still shows after its deletion. With another reason it had begun."""


async def cancel(gateway: Gateway, call: Call) -> Call:
    """The cancelled call, or the call as it ended if it had begun. Only a read that finds no call, or an ended one, proves the end.

    Raises HangUpUnconfirmed, CallNotFound.
    """
    asked, deleted, missing, problem = False, False, False, ""
    for _ in range(_ROUNDS):
        pause = _PAUSE
        try:
            seen = await gateway.get_call(call.id)
            missing = False
            if not seen.running:
                return replace(seen, ended_reason=CANCELLED) if asked and seen.ended_reason in _DELETED else seen
            if seen.status is not CallStatus.SCHEDULED:
                return await hang_up(gateway, call.id)
            if not _may_begin(seen):
                asked = True
                await gateway.delete_call(call.id)
                if not deleted:
                    pause = _FIRST_PAUSE
                deleted = True
        except CallNotFound:
            if not deleted and _due(call):
                raise  # somebody deleted its data at Vapi, perhaps while it ran
            if deleted or missing or not asked:
                return replace(call, status=CallStatus.ENDED, ended_reason=CANCELLED if asked else GONE)
            missing = True  # the deletion's answer was lost, so a second read has to agree
        except VapiError as error:
            log.warning("could not cancel a scheduled call (%s)", error.code, extra=about(call.id))
            problem = f" Vapi says: {error.detail}"
        await asyncio.sleep(pause)
    raise HangUpUnconfirmed(f"Vapi has not cancelled the scheduled call.{problem} Try again, or delete it in the Vapi dashboard.")


def _may_begin(call: Call) -> bool:
    return call.earliest_at is not None and call.earliest_at - _BEFORE <= datetime.now(UTC) <= call.earliest_at + _AFTER


def _due(call: Call) -> bool:
    return call.earliest_at is None or call.earliest_at <= datetime.now(UTC)
