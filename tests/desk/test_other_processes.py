"""Two processes on one journal: the other one knows, counts and keeps watching what one of them places."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from services.desk.desk import CallDesk
from services.domain.call import CallStatus
from services.domain.client import LOCAL
from services.domain.errors import LimitReached
from services.journal.database import sqlite
from tests.desks import two_desks
from tests.patience import HANG_S
from tests.stand_in import StandIn

NUMBER = "+14155552671"


@pytest.fixture
async def desks(vapi: StandIn, tmp_path: Path) -> AsyncIterator[tuple[CallDesk, CallDesk]]:
    async with two_desks((vapi.url, vapi.url), tmp_path, concurrent_calls=1) as made:
        yield made


async def place(desk: CallDesk) -> str:
    placed = await desk.place(desk.order(NUMBER), LOCAL, allow_duplicate=True)
    return placed.call.id


async def until_known(desk: CallDesk, call_id: str, status: CallStatus) -> None:
    async with asyncio.timeout(HANG_S):
        while (call := desk.get(call_id)) is None or call.status is not status:  # noqa: ASYNC110 - whenever it is
            await asyncio.sleep(0.01)


@pytest.mark.slow
async def test_the_slot_of_a_call_whose_process_is_gone_becomes_free_when_the_call_ends(
    vapi: StandIn, desks: tuple[CallDesk, CallDesk]
) -> None:
    one, other = desks
    call_id = await place(one)
    with pytest.raises(LimitReached):
        await place(other)
    await until_known(other, call_id, CallStatus.QUEUED)
    await one.aclose()
    vapi.move(call_id, "ended", endedReason="customer-ended-call")
    await until_known(other, call_id, CallStatus.ENDED)
    await place(other)
    assert vapi.dials == 2


@pytest.mark.slow
async def test_an_end_that_could_not_be_written_down_is_written_later(
    vapi: StandIn, desks: tuple[CallDesk, CallDesk], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = desks
    await other.aclose()
    call_id = await place(one)
    monkeypatch.setattr(sqlite, "PATIENCE_S", 0.2)
    with closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as another_program:
        another_program.execute("BEGIN IMMEDIATE")
        vapi.move(call_id, "ended", endedReason="customer-ended-call")
        await until_known(one, call_id, CallStatus.ENDED)
    async with asyncio.timeout(HANG_S):
        while await one.journal.running():  # noqa: ASYNC110 - the journal is not to be waited for
            await asyncio.sleep(0.01)
    await place(one)
