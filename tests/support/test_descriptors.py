"""Used up file descriptors are logged, and not over and over."""

import asyncio
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.support import descriptors


@contextmanager
def none_left() -> Iterator[None]:
    """The process may open nothing more."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def checks(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets it check so many times."""
    checked = asyncio.Semaphore(0)
    original = descriptors._one_is_free

    def one_is_free() -> bool:
        checked.release()
        return original()

    with monkeypatch.context() as patch:
        patch.setattr(descriptors, "_EVERY_S", 0.0)
        patch.setattr(descriptors, "_one_is_free", one_is_free)
        watching = asyncio.create_task(descriptors.watch_descriptors())
        for _ in range(times + 1):
            await checked.acquire()
        watching.cancel()


async def test_that_none_is_left_is_logged_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    await checks(2, monkeypatch)
    assert not caplog.records
    with none_left():
        await checks(3, monkeypatch)
    assert ["file descriptors are in use" in record.getMessage() for record in caplog.records] == [True]
