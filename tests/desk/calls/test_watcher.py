"""How often calls are read from Vapi."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from services.desk.calls import watcher
from services.desk.desk import CallDesk
from tests.desk.test_desk import place
from tests.patience import HANG_S
from tests.stand_in import StandIn, stand_in


class Slow(StandIn):
    """Takes a while for each list of calls."""

    async def list(self, request: web.Request) -> web.Response:
        await asyncio.sleep(0.3)
        return await super().list(request)


@pytest.fixture
async def vapi() -> AsyncIterator[StandIn]:
    async with stand_in(Slow()) as server:
        yield server


@pytest.mark.slow
async def test_while_vapi_is_slow_calls_are_read_no_less_often(vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It once waited for 9 times as long as Vapi had taken: a call that was answered and ended meanwhile was seen as neither."""
    monkeypatch.setattr(watcher, "_REST", 9_000)  # of 0.3 s it would be 45 minutes
    monkeypatch.setattr(watcher, "_LONGEST_REST_S", 0.5)
    await place(desk)
    before = vapi.requests["GET /call"]
    async with asyncio.timeout(HANG_S):
        while vapi.requests["GET /call"] < before + 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.slow
async def test_the_time_that_vapi_takes_is_no_work(vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "_REST", 200)  # of 0.3 s it would be a minute
    monkeypatch.setattr(watcher, "_LONGEST_REST_S", 1000.0)
    await place(desk)
    before = vapi.requests["GET /call"]
    async with asyncio.timeout(HANG_S):
        while vapi.requests["GET /call"] < before + 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
