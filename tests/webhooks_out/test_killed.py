"""The app, killed while its receiver hangs: whoever starts it again sends the rest.

A killed app holds the lease of its endpoint for 10 s, and an attempt that failed is followed by the next after 5 s: the tests let that time
pass in the journal. Where attempts fail while no app is killed, the apps wait less for an answer and between attempts.
"""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from services.journal.tables.turns import NO_TURN_MS
from tests import paces
from tests.journal.conftest import execute
from tests.process import running, vapi_environ
from tests.stand_in import StandIn
from tests.web.test_api import NUMBER
from tests.webhooks_out.receiver import Receiver, eventually, receiving

pytestmark = pytest.mark.process


async def ask(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
        assert answer.status in (200, 201), await answer.text()
        found: dict[str, Any] = await answer.json()
        return found


async def let_10_seconds_pass(url: str) -> None:
    await execute(url, "UPDATE earshot_endpoints SET renewed_at = renewed_at - 10001")
    await execute(url, f"UPDATE earshot_outbox SET next_at = next_at - 10001 WHERE state = 'waiting' AND next_at < {NO_TURN_MS}")  # noqa: S608


def finished(receiver: Receiver, call_id: str) -> bool:
    return "call.ended" in receiver.of_calls().get(call_id, [])


async def test_an_app_that_is_killed_while_its_receiver_hangs_loses_no_event(vapi: StandIn, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    environ = vapi_environ(vapi.url) | {"EARSHOT_ALLOWED_REGIONS": "*", "EARSHOT_WEBHOOK_NETWORKS": "127.0.0.1", "DATABASE_URL": url}
    async with receiving() as receiver:
        async with running(tmp_path, environ) as app:
            made = await ask(f"{app.url}/api/webhooks", {"url": receiver.url})
            receiver.secret, receiver.status = made["secret"], None
            call = await ask(f"{app.url}/api/vapi_call", {"to": NUMBER})
            await receiver.until(lambda: len(receiver.requests) == 1)
            app.kill()
        await let_10_seconds_pass(url)
        receiver.status = lambda _: 503 if len(receiver.requests) < 3 else 200
        async with running(tmp_path, environ) as app:
            await receiver.until(lambda: len(receiver.requests) == 2)
            app.kill()
        await let_10_seconds_pass(url)
        receiver.status = 200
        async with running(tmp_path, environ) as app:
            await ask(f"{app.url}/api/calls/{call['id']}/end")
            await receiver.until(lambda: finished(receiver, call["id"]))
            assert app.stop() == 0
            assert made["secret"] not in app.output
    kinds = receiver.of_calls()[call["id"]]
    assert (kinds[0], kinds[-1], kinds.count("call.created")) == ("call.created", "call.ended", 1)


@pytest.mark.slow
async def test_two_apps_of_which_each_is_killed_deliver_all_to_a_receiver_with_every_fault(vapi: StandIn, tmp_path: Path, url: str) -> None:
    environ = vapi_environ(vapi.url) | {
        "EARSHOT_ALLOWED_REGIONS": "*",
        "EARSHOT_WEBHOOK_NETWORKS": "127.0.0.1",
        "DATABASE_URL": url,
        "EARSHOT_MEASURE": "off",
        **paces.environ(paces.WEBHOOKS_S),
    }
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    faults: list[int | None] = [500, None, 302, None]
    async with receiving() as receiver:
        receiver.status = lambda _: faults.pop(0) if faults else 200
        async with running(folders[0], environ) as one, running(folders[1], environ) as two:
            made = await ask(f"{one.url}/api/webhooks", {"url": receiver.url})
            receiver.secret = made["secret"]
            hook = f"/api/webhooks/{made['id']}"
            calls = [
                (await ask(f"{app.url}/api/vapi_call", {"to": f"{NUMBER[:-1]}{digit}"}))["id"] for digit, app in enumerate((one, two, one))
            ]
            await receiver.until(lambda: len(receiver.requests) >= 2)
            one.kill()
            await let_10_seconds_pass(url)
            await receiver.until(lambda: {*receiver.of_calls()} == {*calls})  # the other one has taken over
            faults[:] = [410]
            vapi.move(calls[0], "in-progress")
            await eventually(lambda: disabled(two.url), True)
            await ask(f"{two.url}{hook}/enable")
            await receiver.until(lambda: "call.status" in receiver.of_calls()[calls[0]])
            faults[:] = [None, 503]
            vapi.move(calls[1], "in-progress")
            await receiver.until(lambda: len(faults) < 2)
            two.kill()
        await let_10_seconds_pass(url)
        async with running(folders[0], environ) as app:
            for call_id in calls:
                await ask(f"{app.url}/api/calls/{call_id}/end")
            await receiver.until(lambda: all(finished(receiver, call_id) for call_id in calls))

            async def unsent() -> list[str]:
                return [sent["state"] for sent in await log(f"{app.url}{hook}") if sent["state"] != "delivered"]

            none: list[str] = []
            await eventually(unsent, none)
            sent = await log(f"{app.url}{hook}")
            assert app.stop() == 0
    for call_id in calls:
        wanted = [f"msg_{made['id']}_{event['id']}" for event in reversed(sent) if event["callId"] == call_id]
        taken = dict.fromkeys(id_ for id_, event in receiver.taken if event["data"]["id"] == call_id)
        assert [*taken] == wanted, "each event at least once, in the order in which it was first taken"
        assert len(wanted) >= 2


async def log(hook: str) -> list[dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.get(f"{hook}/deliveries?limit=200") as answer:
        found: list[dict[str, Any]] = (await answer.json())["deliveries"]
        return found


async def disabled(url: str) -> bool:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/api/webhooks") as answer:
        return (await answer.json())["webhooks"][0]["disabledAt"] is not None
