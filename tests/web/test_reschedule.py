"""Scheduled calls over REST: the latest time, and moving them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.support.rfc3339 import rfc3339
from services.vapi.gateway import Gateway
from tests.stand_in import StandIn
from tests.web.test_api import NUMBER, Client, client_of

FIRST, SECOND, THIRD = (rfc3339(datetime.now(UTC) + timedelta(days=days)) for days in (2, 3, 4))


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path) -> AsyncIterator[Client]:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url)) as made:
        yield made


async def test_a_call_has_a_latest_time(vapi: StandIn, client: Client) -> None:
    status, call = await client.place(to=NUMBER, earliestAt=FIRST, latestAt=SECOND)
    assert (status, call["status"], call["earliestAt"], call["latestAt"]) == (202, "scheduled", FIRST, SECOND)
    assert vapi.bodies[0]["schedulePlan"] == {"earliestAt": FIRST, "latestAt": SECOND}
    for wrong in ({"latestAt": SECOND}, {"earliestAt": SECOND, "latestAt": FIRST}, {"earliestAt": FIRST, "latestAt": "soon"}):
        status, problem = await client.place(to=NUMBER, **wrong)
        assert (status, [error["field"] for error in problem["errors"]]) == (422, ["latestAt"])
    assert vapi.dials == 1


@pytest.mark.slow
async def test_a_call_is_moved(vapi: StandIn, client: Client) -> None:
    _, call = await client.place(to=NUMBER, earliestAt=FIRST)
    path = f"/api/calls/{call['id']}/reschedule"
    status, moved, answer = await client.ask("POST", path, json={"earliestAt": SECOND, "latestAt": THIRD})
    assert (status, moved["status"], moved["earliestAt"], moved["latestAt"], moved["to"]) == (202, "scheduled", SECOND, THIRD, NUMBER)
    assert answer.headers["Location"] == f"/api/calls/{moved['id']}" != f"/api/calls/{call['id']}"
    status, again, answer = await client.ask("POST", path, json={"earliestAt": SECOND, "latestAt": THIRD})
    assert (status, again["id"], answer.headers["Idempotency-Replayed"]) == (202, moved["id"], "true")
    status, problem, _ = await client.ask("POST", path, json={"earliestAt": THIRD})
    assert (status, problem["code"]) == (409, "call_not_scheduled")
    assert (await client.ask("GET", f"/api/calls/{call['id']}"))[1]["endedReason"]["code"] == "earshot-cancelled"
    for wrong in ({}, {"earliestAt": "2020-01-01T00:00:00Z"}, {"earliestAt": SECOND, "to": NUMBER}):
        assert (await client.ask("POST", path, json=wrong))[0] == 422
    assert vapi.dials == 2


async def test_a_running_call_is_not_moved(vapi: StandIn, client: Client) -> None:
    _, call = await client.place(to=NUMBER)
    status, problem, _ = await client.ask("POST", f"/api/calls/{call['id']}/reschedule", json={"earliestAt": SECOND})
    assert (status, problem["code"]) == (409, "call_not_scheduled")
    assert vapi.controls == []
