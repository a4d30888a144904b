"""How late an event loop runs what is due: what everything on it has to wait."""

import asyncio

from services.support.durations import Durations

EVERY_S = 0.25
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


async def measure_lag(lag: Durations, loop: str) -> None:
    """Adds to `lag`, labelled `loop`, how late a timer of this loop fires, four times a second, until cancelled."""
    clock = asyncio.get_running_loop().time
    while True:
        due = clock() + EVERY_S
        await asyncio.sleep(EVERY_S)
        lag.add(max(0.0, clock() - due), loop)
