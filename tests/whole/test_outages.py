"""Dials in flight while the database is really away: their calls are known afterwards, and no slot and no key stays behind."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.journal.conftest import execute
from tests.patience import HANG_S
from tests.process import Process, running, vapi_environ
from tests.stand_in import StandIn
from tests.whole.chaos.databases import database_of
from tests.whole.chaos.disk import UNAVAILABLE

CAP = 5
FULL = "disk full"  # some writes still fit


@pytest.mark.parametrize(
    ("engine", "fault"),
    [
        *[("sqlite", fault) for fault in ("locked", FULL)],
        *[("postgresql", fault) for fault in ("stopped fast", "stopped at once", "locked", "demoted", FULL)],
    ],
)
async def test_after_an_outage_calls_costs_slots_and_keys_are_right(engine: str, fault: str, tmp_path: Path, vapi: StandIn) -> None:
    async with AsyncExitStack() as stack:
        database = stack.enter_context(database_of(engine, tmp_path))
        if fault == FULL and not database.disk:
            pytest.skip(UNAVAILABLE)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        environ = vapi_environ(vapi.url) | {"EARSHOT_ALLOWED_REGIONS": "*", "EARSHOT_CONCURRENT_CALLS": str(CAP)}
        apps = [await stack.enter_async_context(running(tmp_path, environ | dict(own))) for own in database.environs]

        async def ask(app: Process, method: str, path: str, **more: Any) -> tuple[int, dict[str, Any]]:
            async with http.request(method, app.url + path, **more) as answer:
                return answer.status, await answer.json()

        async def place(number: int, app: int) -> tuple[int, dict[str, Any]]:
            order, headers = {"to": f"+1415555{2000 + number}"}, {"Idempotency-Key": f"key-{number}"}
            return await ask(apps[app % len(apps)], "POST", "/api/vapi_call", json=order, headers=headers)

        async def health(status: int) -> bool:
            return {(await ask(app, "GET", "/health"))[0] for app in apps} == {status}

        async def all_written() -> bool:
            ended = await execute(database.url, """SELECT id FROM earshot_calls WHERE data LIKE '%"status":"ended"%"cost":0.25%'""")
            held = await execute(database.url, "SELECT tag FROM earshot_dials WHERE slot_until IS NOT NULL")
            return {row[0] for row in ended} == set(vapi.calls) and not held

        vapi.answer = "held, created"
        dials = [asyncio.create_task(place(number, app=number)) for number in range(CAP)]
        await until(lambda: true(vapi.dials == CAP))
        async with database.faults[fault]():
            if fault != FULL:
                await until(lambda: health(503))
            vapi.let_go.set()
            answers = await asyncio.gather(*dials)
            for id_ in vapi.calls:
                vapi.move(id_, "ended", endedReason="customer-ended-call", cost=0.25)
        assert [status for status, _ in answers] == [201] * CAP
        await until(lambda: health(200))
        await until(all_written)

        for app in range(len(apps)):
            for number, (_, call) in enumerate(answers):
                status, again = await place(number, app)
                assert (status, again["id"]) == (201, call["id"])
        assert vapi.dials == CAP
        house = [await place(CAP + number, app=number) for number in range(CAP + 1)]
        assert [status for status, _ in house] == [201] * CAP + [429]


async def true(found: bool) -> bool:
    return found


async def until(right: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(HANG_S):
        while not await right():  # noqa: ASYNC110 - whenever it is
            await asyncio.sleep(0.1)
