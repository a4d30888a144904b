"""The app, killed while its receiver hangs: whoever starts it again sends the rest."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.process import running, vapi_environ
from tests.stand_in import StandIn
from tests.web.test_api import NUMBER
from tests.webhooks_out.receiver import Receiver, receiving

pytestmark = pytest.mark.process


async def ask(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
        assert answer.status in (200, 201), await answer.text()
        found: dict[str, Any] = await answer.json()
        return found


def finished(receiver: Receiver, call_id: str) -> bool:
    return "call.ended" in receiver.of_calls().get(call_id, [])


async def test_an_app_that_is_killed_while_its_receiver_hangs_loses_no_event(vapi: StandIn, tmp_path: Path) -> None:
    environ = vapi_environ(vapi.url) | {"EARSHOT_ALLOWED_REGIONS": "*", "EARSHOT_WEBHOOK_NETWORKS": "127.0.0.1"}
    async with receiving() as receiver:
        async with running(tmp_path, environ) as app:
            made = await ask(f"{app.url}/api/webhooks", {"url": receiver.url})
            receiver.secret, receiver.status = made["secret"], None
            call = await ask(f"{app.url}/api/vapi_call", {"to": NUMBER})
            await receiver.until(lambda: len(receiver.requests) == 1)
            app.kill()
        receiver.status = lambda _: 503 if len(receiver.requests) < 3 else 200
        async with running(tmp_path, environ) as app:
            await receiver.until(lambda: len(receiver.requests) == 2)
            app.kill()
        receiver.status = 200
        async with running(tmp_path, environ) as app:
            await ask(f"{app.url}/api/calls/{call['id']}/end")
            await receiver.until(lambda: finished(receiver, call["id"]))
            assert app.stop() == 0
            assert made["secret"] not in app.output
    kinds = receiver.of_calls()[call["id"]]
    assert (kinds[0], kinds[-1], kinds.count("call.created")) == ("call.created", "call.ended", 1)
