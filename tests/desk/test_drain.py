"""A desk that is being closed while a call is dialled."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from services.desk.desk import CallDesk
from services.domain.call import CallStatus
from services.domain.client import PAGE
from services.domain.errors import ShuttingDown
from services.vapi.gateway import Gateway
from tests.desks import desk_in
from tests.patience import HANG_S
from tests.stand_in import StandIn

NUMBER = "+14155552671"


@pytest.mark.slow
async def test_a_dial_without_an_answer_is_of_unknown_outcome_and_found_at_the_next_start(tmp_path: Path, vapi: StandIn) -> None:
    gateway = Gateway(api_key="private", base_url=vapi.url)
    vapi.answer = "created then hang"
    async with desk_in(tmp_path, gateway) as desk:
        dial = asyncio.create_task(desk.place(desk.order(NUMBER), PAGE))
        await vapi.heard.wait()
        await desk.drain(within=0.01)
        call = (await dial).call
        assert call.status is CallStatus.UNKNOWN
        with pytest.raises(ShuttingDown):
            await desk.place(desk.order(NUMBER), PAGE)
    async with desk_in(tmp_path, gateway) as again:
        while not (found := again.get(call.id)) or found.status is CallStatus.UNKNOWN:  # noqa: ASYNC110 - short, and needs no signal
            await asyncio.sleep(0.01)
        assert found.id in vapi.calls
    await gateway.aclose()
    assert vapi.dials == 1


async def test_a_desk_at_rest_closes_at_once(tmp_path: Path, vapi: StandIn) -> None:
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with desk_in(tmp_path, gateway) as desk:
        assert await desk.place(desk.order(NUMBER), PAGE)
        async with asyncio.timeout(HANG_S):
            await desk.drain(within=1000)
    await gateway.aclose()


async def test_a_dial_that_has_not_begun_is_not_made(desk: CallDesk, vapi: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does Python warn of anything that was not awaited, which fails a test."""
    start = desk._placing._tasks.start

    def start_and_end(work: Any, *, name: str) -> asyncio.Task[Any]:
        task = start(work, name=name)
        task.cancel()
        return task

    monkeypatch.setattr(desk._placing._tasks, "start", start_and_end)
    with pytest.raises(ShuttingDown):
        await desk.place(desk.order(NUMBER), PAGE)
    assert not vapi.dials
