"""Memory that closed pages leave behind."""

import asyncio
import gc
import weakref

import pytest

from services.support.memory import give_back_memory
from tests.patience import HANG_S


class Page:
    def __init__(self) -> None:
        self.parent = self


@pytest.mark.slow
async def test_cycles_are_collected_without_any_new_object() -> None:
    thresholds = gc.get_threshold()
    gc.disable()
    try:
        page = weakref.ref(Page())
        assert page() is not None
        task = asyncio.create_task(give_back_memory(every=0.001))
        async with asyncio.timeout(HANG_S):
            while page() is not None:  # noqa: ASYNC110 - nothing else tells it
                await asyncio.sleep(0.001)
        task.cancel()
    finally:
        gc.enable()
        gc.set_threshold(*thresholds)
