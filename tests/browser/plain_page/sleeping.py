"""A computer that sleeps: every process of the browser stops, and goes on later."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


def _descendants(parent: int) -> list[int]:
    children = [int(pid) for task in Path(f"/proc/{parent}/task").iterdir() for pid in (task / "children").read_text().split()]
    return [*children, *(pid for child in children for pid in _descendants(child))]


def _is_browser(pid: int) -> bool:
    return any(name in Path(f"/proc/{pid}/cmdline").read_bytes() for name in (b"chrom", b"headless_shell"))


@asynccontextmanager
async def asleep() -> AsyncIterator[None]:
    """Stops the Chromium that this process has started, for as long as the block runs."""
    browser = [pid for pid in _descendants(os.getpid()) if _is_browser(pid)]
    assert len(browser) > 2
    for pid in browser:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in browser:
            os.kill(pid, signal.SIGCONT)
