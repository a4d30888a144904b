"""The process as a whole: start, stop in the middle of a call, start again, and what the log may say."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.patience import HANG_S
from tests.process import MAIN, ROOT, refused, running, started, vapi_environ
from tests.stand_in import StandIn

NUMBER = "+14155552671"
LOOKED_THROUGH = f"""
import gc, runpy

look = gc.get_objects

def count():
    found = look()
    print("looked through", len(found), flush=True)
    return found

gc.get_objects = count
runpy.run_path({MAIN!r}, run_name="__main__")
"""


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def test_who_imports_main_keeps_the_garbage_collector() -> None:
    ran = subprocess.run([sys.executable, "-c", "import gc, main; print(gc.isenabled())"], cwd=ROOT, capture_output=True, check=True)
    assert ran.stdout == b"True\n"


async def test_nicegui_finds_little_to_look_through_as_it_starts(tmp_path: Path) -> None:
    """While it looks at a tuple, no other thread can finish building it: compiling a statement failed with a SystemError."""
    with started("-c", LOOKED_THROUGH, cwd=tmp_path) as process:
        await asyncio.to_thread(process.wait_until_served)
        process.stop()
        looked = [line for line in process.output.splitlines() if line.startswith("looked through ")]
    assert looked
    assert all(int(line.split()[-1]) < 2_000 for line in looked), looked


async def test_a_taken_port_is_reported_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        output = await refused(tmp_path, {}, port=taken.getsockname()[1])
    assert "can't be used" in output
    assert "set PORT" in output
    assert "Traceback" not in output


async def test_an_invalid_setting_is_reported_in_a_sentence(tmp_path: Path) -> None:
    output = await refused(tmp_path, {"VAPI_BASE_URL": "nonsense"})
    assert "VAPI_BASE_URL" in output
    assert "Traceback" not in output


async def test_missing_credentials_are_named_in_log_and_health(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    async with running(tmp_path, {"VAPI_API_KEY": "secret-private-key"}) as app:
        async with http.get(app.url + "/health") as answer:
            assert answer.status == 503
            assert (await answer.json())["missing"] == ["VAPI_ASSISTANT_ID", "VAPI_PHONE_NUMBER_ID"]
        async with http.get(app.url + "/") as page:
            text = await page.text()
        await asyncio.to_thread(app.stop)
    assert "VAPI_ASSISTANT_ID and VAPI_PHONE_NUMBER_ID" in app.output
    assert "VAPI_ASSISTANT_ID" in text
    assert "secret-private-key" not in app.output + text


async def test_nobody_can_have_the_page_load_foreign_scripts(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    """NiceGUI takes `X-Forwarded-Prefix` for the beginning of all its addresses."""
    async with running(tmp_path) as app, http.get(app.url + "/", headers={"X-Forwarded-Prefix": "//evil.example"}) as page:
        text = await page.text()
    assert '"/_nicegui/' in text
    assert "evil.example" not in text


async def test_an_address_at_which_nothing_is_costs_no_page(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    async with running(tmp_path) as app:
        for path in ("/_nicegui/nothing", "/_nicegui/0/static/nothing.js", "/nothing", "/wp-login.php?to=1", "/assets/nothing"):
            async with http.get(app.url + path) as answer:
                assert (answer.status, len(await answer.read()) < 200) == (404, True), path


async def test_what_the_server_itself_logs_has_the_format_of_all_lines(tmp_path: Path) -> None:
    async with running(tmp_path, {"EARSHOT_LOG_FORMAT": "json"}) as app:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(app.url.rsplit(":", 1)[1]))
        writer.write(b"no request\r\n\r\n")
        async with asyncio.timeout(HANG_S):
            assert (await reader.read()).startswith(b"HTTP/1.1 400")
        writer.close()
        await asyncio.to_thread(app.stop)
    assert "uvicorn.error" in {json.loads(line)["logger"] for line in app.output.splitlines()}


async def test_dotenv_is_read(tmp_path: Path, vapi: StandIn, http: aiohttp.ClientSession) -> None:
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in vapi_environ(vapi.url).items()))
    async with running(tmp_path) as app, http.get(app.url + "/health") as answer:
        assert (answer.status, (await answer.json())["mode"]) == (200, "vapi")


async def test_sigterm_in_the_middle_of_a_call_cuts_sockets_but_not_the_call(
    tmp_path: Path, vapi: StandIn, http: aiohttp.ClientSession
) -> None:
    async with running(tmp_path, vapi_environ(vapi.url)) as app:
        async with http.post(app.url + "/api/vapi_call", json={"to": NUMBER}) as answer:
            call = await answer.json()
        vapi.move(call["id"], "in-progress")
        async with connect(call["listenUrl"]) as listener:
            async with asyncio.timeout(HANG_S):
                while json.loads(await listener.recv())["type"] != "start":  # what comes first depends on who else listens
                    pass
            stopping = asyncio.create_task(asyncio.to_thread(app.stop))
            with suppress(ConnectionClosed):
                while True:
                    await listener.recv()
            assert listener.close_code == 1012
            assert await stopping == 0
    assert vapi.controls == []
    assert vapi.calls[call["id"]]["status"] == "in-progress"

    async with running(tmp_path, vapi_environ(vapi.url)) as again:
        async with http.get(again.url + "/api/calls") as answer:
            found = (await answer.json())["calls"]
        assert [known["id"] for known in found] == [call["id"]]
        async with http.post(f"{again.url}/api/calls/{call['id']}/end") as answer:
            assert (await answer.json())["status"] == "ended"
    assert vapi.dials == 1


async def test_the_log_holds_no_secret_and_no_whole_number(tmp_path: Path, vapi: StandIn, http: aiohttp.ClientSession) -> None:
    async with running(tmp_path, vapi_environ(vapi.url) | {"VAPI_PUBLIC_KEY": "secret-public-key"}) as app:
        for answer in ("created", "created then 500", (400, {"message": "secret-private-key is wrong"})):
            vapi.answer = answer
            async with http.post(app.url + "/api/vapi_call", json={"to": NUMBER}) as response:
                body = await response.text()
                assert "secret" not in body
        async with http.ws_connect(f"{app.url}/api/calls/none/listen?ticket=secret-ticket") as ear:
            assert (await ear.receive()).data == 4401
        await asyncio.to_thread(app.stop)
    assert "placing a call" in app.output
    for secret in ("secret", NUMBER, "4155552671", "/listen", "/control"):
        assert secret not in app.output
