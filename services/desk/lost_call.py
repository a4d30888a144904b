"""Finding a call whose dial went unanswered: it is looked for, never dialled again."""

import asyncio
import logging
from datetime import datetime

from services.domain.call import Call, CallOrder
from services.domain.errors import VapiError
from services.domain.phone_number import masked
from services.vapi.gateway import Gateway

log = logging.getLogger(__name__)

_PAUSES = (0.0, 0.3, 0.7, *[1.0] * 8, *[3.0] * 20, *[15.0] * 36)
"""Seconds before each look: often at first, since a call that exists is in the list within seconds; ten minutes in all."""


async def search_until_found(gateway: Gateway, order: CallOrder, *, since: datetime) -> Call | None:
    """The call of `order` as soon as Vapi lists it, or None when it has not shown up for ten minutes."""
    for pause in _PAUSES:
        await asyncio.sleep(pause)
        try:
            call = await gateway.find_call(order, since=since)
        except VapiError as error:
            log.warning("looking for a lost call failed (%s)", error.code)
            continue
        if call is not None:
            log.info("found the lost call to %s", masked(order.to))
            return call
    log.warning("the lost call to %s did not show up; it was most likely never placed", masked(order.to))
    return None
