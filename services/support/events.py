"""Waits for an event with a limit."""

import asyncio


async def set_within(event: asyncio.Event, seconds: float | None) -> bool:
    """Returns True once the event is set, False if that takes longer than `seconds`. None: no limit."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
