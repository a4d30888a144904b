"""A call's cost comes after its end. It is read even if the process that saw the end is gone by then."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.desk.desk import CallDesk
from services.domain.call import Call
from services.domain.client import LOCAL
from services.vapi.gateway import Gateway
from tests.desks import desk_in
from tests.patience import HANG_S
from tests.stand_in import StandIn

NUMBER = "+14155552671"


@asynccontextmanager
async def a_desk(folder: Path, vapi: StandIn) -> AsyncIterator[CallDesk]:
    gateway = Gateway(api_key="private", base_url=vapi.url)
    try:
        async with desk_in(folder, gateway) as desk:
            yield desk
    finally:
        await gateway.aclose()


async def written(desk: CallDesk, *, cost: float | None) -> Call:
    """The ended call in the journal, once it has this cost."""
    async with asyncio.timeout(HANG_S):
        while True:
            if (calls := await desk.journal.calls()) and not calls[0].running and calls[0].cost == cost:
                return calls[0]
            await asyncio.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True], ids=["while no process runs", "afterwards"])
async def test_a_cost_that_comes_after_a_restart_is_in_the_journal(vapi: StandIn, tmp_path: Path, late: bool) -> None:
    async with a_desk(tmp_path, vapi) as desk:
        call = (await desk.place(desk.order(NUMBER), LOCAL)).call
        vapi.move(call.id, "ended", endedReason="customer-ended-call")
        await written(desk, cost=None)
    if not late:
        vapi.move(call.id, "ended", cost=0.25)
    async with a_desk(tmp_path, vapi) as desk:
        if late:
            await desk.caught_up()
            vapi.move(call.id, "ended", cost=0.25)
        assert (await written(desk, cost=0.25)).id == call.id
