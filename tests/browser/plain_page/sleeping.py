"""A computer that sleeps: every process of the browser stops, and goes on later."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path


def descendants(parent: int) -> list[int]:
    """The processes that `parent` has started, and those that they have started."""
    children: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        for task in Path(f"/proc/{parent}/task").iterdir():
            children += [int(pid) for pid in (task / "children").read_text().split()]
    return [*children, *(pid for child in children for pid in descendants(child))]


def _is_browser(pid: int) -> bool:
    return any(name in Path(f"/proc/{pid}/cmdline").read_bytes() for name in (b"chrom", b"headless_shell"))


@asynccontextmanager
async def asleep() -> AsyncIterator[None]:
    """Stops the Chromium that this process has started, for as long as the block runs."""
    browser = [pid for pid in descendants(os.getpid()) if _is_browser(pid)]
    assert len(browser) > 2
    for pid in browser:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in browser:
            os.kill(pid, signal.SIGCONT)
