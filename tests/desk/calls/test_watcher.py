"""How often calls are read from Vapi."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from services.desk.calls import watcher
from services.desk.desk import CallDesk
from tests.desk.test_desk import place
from tests.desks import desk_at
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


class Down(StandIn):
    async def list(self, request: web.Request) -> web.Response:
        await super().list(request)
        return web.json_response({"message": "Service Unavailable"}, status=503)


@pytest.mark.slow
async def test_who_asks_is_not_kept_waiting_because_reads_failed_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A webhook that came half a minute after Vapi had failed was read only when the pause was over."""
    monkeypatch.setattr(watcher, "_MAX_BACKOFF", 1_000.0)
    async with stand_in(Down()) as vapi, desk_at(vapi.url, tmp_path) as desk, asyncio.timeout(HANG_S):
        while vapi.requests["GET /call"] < 12:  # the pause after that many failures is seven minutes
            desk.look("018f2c1e-0000-7000-8000-000000000001")
            await asyncio.sleep(0.01)
