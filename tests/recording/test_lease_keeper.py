"""The keeper of leases goes on renewing them, whatever else it has to do."""

import asyncio
from pathlib import Path
from typing import Any, cast
from unittest.mock import AsyncMock

import pytest

from services.recording import lease_keeper
from services.recording.lease_keeper import LeaseKeeper
from services.recording.recorders import Recorders
from tests.journal.conftest import execute
from tests.journals import open_journal
from tests.patience import HANG_S


class Recording:
    """Recorders that record the call `mine`."""

    def __init__(self) -> None:
        self.heard_from_ms = {"mine": None}

    def __contains__(self, call_id: str) -> bool:
        return call_id == "mine"

    def give_up(self, call_id: str, problem: str) -> None:
        raise AssertionError(f"{call_id}: {problem}")


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_leases_are_renewed_while_another_is_taken_over(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_keeper, "LEASE_RENEWAL_S", 0.01)
    taken: list[str] = []
    never = asyncio.Event()

    async def take_over(call_id: str) -> None:
        taken.append(call_id)
        await never.wait()  # such as for a disk that is slow

    ours, dead = await open_journal(url), await open_journal(url)
    keeper = LeaseKeeper(ours.recordings, cast(Recorders, Recording()), take_over=take_over, changed=lambda _call_id: None)
    try:
        await dead.recordings.take_lease("lost")
        await ours.recordings.take_lease("mine")
        await grow_old(url)
        await keeper.open()
        async with asyncio.timeout(HANG_S):
            while not taken:  # noqa: ASYNC110 - it looks every 10 ms
                await asyncio.sleep(0.01)
            for _ in range(2):  # between two renewals it looks for stale leases again
                await renewed_after(url, await renewed_at(url))
        assert taken == ["lost"]
    finally:
        await keeper.aclose()
        await ours.aclose()
        await dead.aclose()


async def test_other_processes_know_since_when_a_call_is_recorded(url: str) -> None:
    ours, theirs = await open_journal(url), await open_journal(url)
    recorders = cast(Recorders, Recording())
    known = asyncio.Event()

    def changed(call_id: str) -> None:
        if keeper.heard_from_ms(call_id):
            known.set()

    keeper = LeaseKeeper(ours.recordings, recorders, take_over=AsyncMock(), changed=changed)
    try:
        await ours.recordings.follow(keeper.learn)
        await theirs.recordings.take_lease("theirs")
        await theirs.recordings.renew_leases({"theirs": 1_700_000_000_000})
        async with asyncio.timeout(HANG_S):
            await known.wait()
        assert keeper.heard_from_ms("theirs") == 1_700_000_000_000
    finally:
        await keeper.aclose()
        await ours.aclose()
        await theirs.aclose()


async def grow_old(url: str) -> list[Any]:
    """As if nobody had renewed anything for 6 seconds. Not beside an open keeper: between renewing and looking, its own would be stale."""
    return list(await execute(url, "UPDATE earshot_recordings SET renewed_at = renewed_at - 6001"))


async def renewed_at(url: str) -> int:
    """When the lease of `mine` was last renewed, in ms since 1970."""
    [[at]] = await execute(url, "SELECT renewed_at FROM earshot_recordings WHERE call_id = 'mine'")
    return int(at)


async def renewed_after(url: str, before: int) -> None:
    while await renewed_at(url) <= before:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
