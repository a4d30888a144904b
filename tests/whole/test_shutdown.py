"""SIGTERM: what is under way is finished and answered, nothing new begins, and the process ends in order."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.process import Process, running, vapi_environ
from tests.stand_in import StandIn

NUMBER, OTHER = "+14155552671", "+14155552672"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def drains(http: aiohttp.ClientSession, app: Process) -> None:
    """Sends SIGTERM and returns once the app says that it is shutting down."""
    app.popen.terminate()
    while True:
        async with http.get(app.url + "/health") as answer:
            body = await answer.json()
        if body.get("code") == "shutting_down":
            assert answer.status == 503
            return


async def test_a_dial_under_way_is_answered_and_no_other_begins(
    tmp_path: Path, vapi: StandIn, http: aiohttp.ClientSession, url: str
) -> None:
    vapi.answer = "held, created"
    async with running(tmp_path, vapi_environ(vapi.url) | {"DATABASE_URL": url}) as app:
        dial = asyncio.create_task(http.post(app.url + "/api/vapi_call", json={"to": NUMBER}))
        await vapi.heard.wait()
        await drains(http, app)
        async with http.post(app.url + "/api/vapi_call", json={"to": OTHER}) as answer:
            problem = await answer.json()
        assert (answer.status, problem["code"], problem["retryable"]) == (503, "shutting_down", True)
        assert int(answer.headers["Retry-After"]) > 0
        vapi.let_go.set()
        async with await dial as answer:
            call = await answer.json()
        assert (answer.status, call["id"]) == (201, *vapi.calls)
        assert await asyncio.to_thread(app.ended, 30) == 0
    assert "Traceback" not in app.output
    assert vapi.dials == 1


async def test_a_hang_up_is_still_taken_while_a_dial_is_awaited(tmp_path: Path, vapi: StandIn, http: aiohttp.ClientSession) -> None:
    async with running(tmp_path, vapi_environ(vapi.url)) as app:
        async with http.post(app.url + "/api/vapi_call", json={"to": NUMBER}) as answer:
            call = await answer.json()
        vapi.move(call["id"], "in-progress")
        vapi.answer = "held, created"
        vapi.heard.clear()
        dial = asyncio.create_task(http.post(app.url + "/api/vapi_call", json={"to": OTHER}))
        await vapi.heard.wait()
        await drains(http, app)
        async with http.post(f"{app.url}/api/calls/{call['id']}/end") as answer:
            assert (answer.status, (await answer.json())["status"]) == (200, "ended")
        vapi.let_go.set()
        async with await dial as answer:
            assert answer.status == 201
        assert await asyncio.to_thread(app.ended, 30) == 0


async def test_event_streams_and_requests_that_never_come_end_without_a_traceback(
    tmp_path: Path, vapi: StandIn, http: aiohttp.ClientSession
) -> None:
    async with running(tmp_path, vapi_environ(vapi.url)) as app:
        async with http.post(app.url + "/api/vapi_call", json={"to": NUMBER}) as answer:
            call = await answer.json()
        host, _, port = app.url.removeprefix("http://").partition(":")
        _, slow = await asyncio.open_connection(host, int(port))
        slow.write(b"POST /api/vapi_call HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{")
        async with http.get(f"{app.url}/api/calls/{call['id']}/events") as stream:
            assert await stream.content.readline()
            app.popen.terminate()
            text = await stream.text()
        assert text.endswith("\n\n")
        app.popen.send_signal(signal.SIGTERM)  # a second one must not cut off the clean-up
        assert await asyncio.to_thread(app.ended, 30) == 0
        slow.close()
    assert "Traceback" not in app.output
