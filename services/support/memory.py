"""Gives memory back to the system that closed pages leave behind."""

import asyncio
import ctypes
import gc
import sys
import time

from services.support.system_allocator import use_system_allocator

EVERY_S = 60
_OFTEN = 1  # collections of the youngest objects between those of the middle ones; Python's default is 10
_NEVER = 1_000_000  # collections of young objects
_MANY = 10_000  # objects; a closed page leaves about 2,200

_page_built_at = -float("inf")


def expect_page() -> None:
    """A page is about to be built: puts its objects, and all others of the next minute, where `give_back_memory` can return them."""
    global _page_built_at
    _page_built_at = time.monotonic()
    use_system_allocator(True)


async def give_back_memory(every: float = EVERY_S) -> None:
    """Collects old cyclic garbage `every` so many seconds, instead of when Python chooses, and returns freed memory.

    A full collection stops all threads, sound too: 30 to 90 ms with 20 pages open, and while pages were opened Python did one every 7 s.
    When nobody comes, it does none: 300 visits left 660,000 dead objects, since a page's elements refer to each other.
    Objects of middle age are collected often: a few at a time, in 1 ms instead of 4 to 5.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None  # glibc has it, other C libraries do not
    gc.set_threshold(gc.get_threshold()[0], _OFTEN, _NEVER)
    while True:
        await asyncio.sleep(every)
        if time.monotonic() - _page_built_at > every:
            use_system_allocator(False)
        if gc.collect() > _MANY and trim:
            await asyncio.to_thread(trim, 0)
