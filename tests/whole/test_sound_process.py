"""The app's process for sound, in the whole app: killed, logged out of, left by the main process."""

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.patience import HANG_S
from tests.process import Process, running, vapi_environ
from tests.stand_in import StandIn
from tests.support.test_worker_process import wait_until_gone

pytestmark = [pytest.mark.process, pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="Linux only")]

NUMBER = "+14155552671"
START = {"type": "start", "encoding": "linear16", "container": "raw", "sampleRate": 16000, "channels": 2}


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def sound_of(app: Process) -> tuple[int, int]:
    """The process ids of the supervisor and of the process for sound."""
    give_up = time.monotonic() + HANG_S
    while time.monotonic() < give_up:
        for supervisor in children(app.popen.pid):
            if found := children(supervisor):
                return supervisor, found[0]
    raise AssertionError("there is no process for sound")


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


async def a_call(http: aiohttp.ClientSession, app: Process, vapi: StandIn) -> dict[str, Any]:
    async with http.post(app.url + "/api/vapi_call", json={"to": NUMBER}) as answer:
        call: dict[str, Any] = await answer.json()
    vapi.move(call["id"], "in-progress")
    return call


async def hears(ear: aiohttp.ClientWebSocketResponse, vapi: StandIn, call_id: str, sound: bytes) -> bool:
    """True once the sound, which is sent again and again, has come; False if the socket was closed first."""
    async with asyncio.timeout(HANG_S):
        while True:
            for socket in list(vapi.listeners[call_id]):
                with suppress(ConnectionError):  # of the process that was killed
                    await socket.send_json(START)
                    await socket.send_bytes(sound)
            try:
                async with asyncio.timeout(0.1):
                    message = await ear.receive()
            except TimeoutError:
                continue
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                return False
            if message.data == sound:
                return True


async def test_it_is_killed_while_a_call_is_heard_recorded_and_measured(tmp_path: Path, vapi: StandIn) -> None:
    async with running(tmp_path, vapi_environ(vapi.url)) as app, aiohttp.ClientSession() as http:
        call = await a_call(http, app, vapi)
        async with http.post(f"{app.url}/api/calls/{call['id']}/recording", json={"on": True}) as answer:
            assert answer.status < 300, await answer.text()
        url = call["listenUrl"].replace("ws", "http", 1)
        async with http.ws_connect(url) as ear:
            for _ in range(2):  # so that the first is with the recorder too, which gets it a moment after the listener
                assert await hears(ear, vapi, call["id"], bytes(6400))
            first = sound_of(app)
            os.kill(first[1], signal.SIGKILL)
            async with asyncio.timeout(HANG_S):
                while (await ear.receive()).type not in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.ERROR):
                    pass
        heard = False
        async with asyncio.timeout(HANG_S):
            while not heard:  # a socket that is given to the dead process is closed again, and a player connects again
                async with http.ws_connect(url) as ear:
                    heard = await hears(ear, vapi, call["id"], b"\1\0" * 3200)
        second = sound_of(app)
        assert (second[0], second[1] != first[1]) == (first[0], True)
        async with http.get(app.url + "/metrics") as answer:
            metrics = await answer.text()
        assert "earshot_streams 1.0" in metrics
        assert float(metrics.partition("\nearshot_sound_delay_seconds_count ")[2].split()[0]) > 0
        async with http.post(f"{app.url}/api/calls/{call['id']}/end") as answer:
            assert answer.status == 200
        parts: list[Any] = []
        async with asyncio.timeout(HANG_S):
            while not parts:
                async with http.get(f"{app.url}/api/calls/{call['id']}/recording/info") as answer:
                    if answer.status == 200:
                        parts = (await answer.json())["parts"]
                await asyncio.sleep(0.05)
        assert await asyncio.to_thread(app.stop) == 0
        wait_until_gone(*second)
    assert [mark["kind"] for part in parts for mark in part["marks"]] == ["gap"], parts
    assert app.output.count("the process for sound has ended and is started again") == 1
    assert "Traceback" not in app.output
    for secret in ("ticket=", "/listen", NUMBER):
        assert secret not in app.output


async def test_a_logout_ends_the_sound_at_once(tmp_path: Path, vapi: StandIn) -> None:
    environ = vapi_environ(vapi.url) | {"EARSHOT_PASSWORD": "correct horse battery"}
    cookies = aiohttp.CookieJar(unsafe=True)
    async with running(tmp_path, environ) as app, aiohttp.ClientSession(cookie_jar=cookies) as http:
        async with http.post(app.url + "/login", data={"password": "correct horse battery"}, allow_redirects=False) as answer:
            assert answer.status == 303
        call = await a_call(http, app, vapi)
        async with http.ws_connect(call["listenUrl"].replace("ws", "http", 1)) as ear:
            assert await hears(ear, vapi, call["id"], bytes(6400))
            async with http.post(app.url + "/logout", allow_redirects=False) as answer:
                assert answer.status == 303
            async with asyncio.timeout(HANG_S):
                while (await ear.receive()).type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    pass
            assert ear.close_code == 4401
        sound_of(app)  # it still runs


async def test_it_ends_when_the_main_process_is_killed(tmp_path: Path, vapi: StandIn) -> None:
    async with running(tmp_path, vapi_environ(vapi.url)) as app, aiohttp.ClientSession() as http:
        call = await a_call(http, app, vapi)
        async with http.ws_connect(call["listenUrl"].replace("ws", "http", 1)) as ear:
            assert await hears(ear, vapi, call["id"], bytes(6400))
            both = sound_of(app)
            app.popen.kill()
            await asyncio.to_thread(wait_until_gone, *both)
            async with asyncio.timeout(HANG_S):
                while (await ear.receive()).type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    pass


async def test_no_address_of_sound_is_in_the_list_of_processes(tmp_path: Path, vapi: StandIn) -> None:
    async with running(tmp_path, vapi_environ(vapi.url)) as app:
        for pid in sound_of(app):
            assert command_of(pid) == command_of(app.popen.pid)


async def test_health_says_that_nothing_is_heard_any_more_once_its_supervisor_is_killed_too(tmp_path: Path, vapi: StandIn) -> None:
    async with running(tmp_path, vapi_environ(vapi.url)) as app, aiohttp.ClientSession() as http:

        async def sound() -> object:
            async with http.get(app.url + "/health") as answer:
                assert answer.status == 200, "calls can be placed, and ended"
                return (await answer.json())["sound"]

        for pid in sound_of(app):
            os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(HANG_S):
            while await sound() != "lost":
                pass
