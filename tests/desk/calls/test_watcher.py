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
@pytest.mark.parametrize(
    ("rest", "longest_s"),
    [
        pytest.param(200, 1000.0, id="what Vapi takes is no work"),  # by the 0.3 s it would be a minute
        pytest.param(9_000, 0.5, id="a rest has a limit"),  # by the 0.3 s it would be 45 minutes
    ],
)
async def test_while_vapi_is_slow_calls_are_read_no_less_often(
    vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch, rest: int, longest_s: float
) -> None:
    """Earshot once rested 9 times as long as Vapi had taken, and did not see that a call was answered or ended meanwhile."""
    monkeypatch.setattr(watcher, "_REST", rest)
    monkeypatch.setattr(watcher, "_LONGEST_REST_S", longest_s)
    await place(desk)
    before = vapi.requests["GET /call"]
    async with asyncio.timeout(HANG_S):
        while vapi.requests["GET /call"] < before + 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
