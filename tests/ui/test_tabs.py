"""Many tabs opened and closed: nothing of them is left in the process. `benchmarks.many_pages` opens more."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import nicegui
import psutil
import pytest
from nicegui import Client

import main
from services.desk.desk import CallDesk
from services.settings import read_settings
from services.web.server.port import open_port
from tests.patience import HANG_S
from tests.ports import free_port
from tests.process import vapi_environ
from tests.stand_in import StandIn
from tests.tab import tab

TABS = 40
AT_ONCE = 20
STARTED = aiohttp.ClientTimeout(total=30)


@asynccontextmanager
async def serving(vapi: StandIn, folder: Path) -> AsyncIterator[str]:
    """The whole app in this process, so that its tasks and objects can be counted."""
    settings = read_settings(vapi_environ(vapi.url) | {"PORT": str(free_port()), "EARSHOT_DATA_DIR": str(folder)}, dotenv=None)
    app = asyncio.create_task(main.serve(settings, open_port(settings)))
    url = f"http://127.0.0.1:{settings.port}"
    async with aiohttp.ClientSession(timeout=STARTED) as session, session.get(url + "/health") as answer:
        assert answer.status == 200
    # So that the test need not wait for the 30 s in which a tab may come back, nor for the ping that a closed socket still sleeps before.
    nicegui.app.config.reconnect_timeout = 0.5
    nicegui.core.sio.eio.ping_interval = 0.5
    nicegui.core.sio.eio.ping_timeout = 60  # a busy machine answers late
    yield url
    signal.raise_signal(signal.SIGTERM)
    await app


async def heard(url: str, listen_url: str) -> None:
    """One tab that listens to a call until it hears something, and is closed."""
    async with tab(url) as session, session.ws_connect(listen_url) as listener:
        assert await listener.receive_json(timeout=30)


@pytest.mark.slow
async def test_forty_tabs_leave_nothing(vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desks: list[CallDesk] = []
    make = main.desk_of

    def desk_of(*arguments: Any, **options: Any) -> CallDesk:
        desks.append(make(*arguments, **options))
        return desks[-1]

    monkeypatch.setattr(main, "desk_of", desk_of)
    async with serving(vapi, tmp_path) as url, aiohttp.ClientSession() as session:
        async with session.post(url + "/api/vapi_call", json={"to": "+14155552671"}) as answer:
            call = await answer.json()
        vapi.move(call["id"], "in-progress")
        (desk,) = desks
        await heard(url, call["listenUrl"])
        await settled()
        sockets, tasks, subscribers = open_sockets(), len(asyncio.all_tasks()), len(desk.changed)
        for _ in range(TABS // AT_ONCE):
            await asyncio.gather(*(heard(url, call["listenUrl"]) for _ in range(AT_ONCE)))
        await settled()
        assert len(desk.changed) == subscribers
        assert len(asyncio.all_tasks()) <= tasks
        assert open_sockets() <= sockets
    assert vapi.controls == []


async def settled() -> None:
    """Returns once NiceGUI has let go of every tab."""
    async with asyncio.timeout(HANG_S):
        while Client.instances:  # noqa: ASYNC110 - NiceGUI tells it in no other way
            await asyncio.sleep(0.1)
    await asyncio.sleep(1)


def open_sockets() -> int:
    return len(psutil.Process().net_connections())
