"""Searches for the call of a dial to which Vapi gave no usable answer. It is never dialled again."""

import asyncio
import logging
from datetime import datetime

from services.domain.call import Call, CallOrder
from services.domain.errors import VapiError
from services.domain.phone_number import masked
from services.vapi.gateway import Gateway

log = logging.getLogger(__name__)

_PAUSES = (0.0, 0.3, 0.7, *[1.0] * 8, *[3.0] * 20, *[15.0] * 36)
"""Seconds before each attempt: short at first, because an existing call is listed within seconds; ten minutes in total."""


async def search_until_found(gateway: Gateway, order: CallOrder, *, since: datetime) -> Call | None:
    """The call of `order` once Vapi lists it, or None if it is not listed within ten minutes."""
    for pause in _PAUSES:
        await asyncio.sleep(pause)
        try:
            call = await gateway.find_call(order, since=since)
        except VapiError as error:
            log.warning("could not search for a lost call (%s)", error.code)
            continue
        if call is not None:
            log.info("found the lost call to %s", masked(order.to))
            return call
    log.warning("did not find the lost call to %s; it was most likely never placed", masked(order.to))
    return None
