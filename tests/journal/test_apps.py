"""The whole app, `python main.py`: two of them on one journal, and one that is killed at each step of a dial."""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import text
from websockets.asyncio.client import connect

from services.journal.database.postgres import _WRITERS_LOCK
from tests.journal.conftest import execute
from tests.journal.processes.test_processes import let_20_seconds_pass
from tests.patience import HANG_S
from tests.process import Process, running, vapi_environ
from tests.stand_in import StandIn, stand_in
from tests.web.test_tokens import entry

pytestmark = pytest.mark.process

NUMBER = "+14155552671"
Answer = tuple[int, dict[str, Any]]


class Apps:
    """Starts apps on one journal, and asks them."""

    def __init__(self, folder: Path, url: str, vapi: StandIn, session: aiohttp.ClientSession, stack: AsyncExitStack) -> None:
        self.url = url
        self.vapi = vapi
        self._folder = folder
        self._started = 0
        self._session = session
        self._stack = stack

    async def start(self, **limits: str) -> Process:
        """A process with a data folder of its own."""
        self._started += 1
        environ = vapi_environ(self.vapi.url) | {
            "DATABASE_URL": self.url,
            "EARSHOT_ALLOWED_REGIONS": "*",
            "EARSHOT_DATA_DIR": str(self._folder / f"data-{self._started}"),
            **limits,
        }
        return await self._stack.enter_async_context(running(self._folder, environ))

    async def ask(self, app: Process, method: str, path: str, **more: Any) -> Answer:
        async with self._session.request(method, app.url + path, **more) as answer:
            return answer.status, await answer.json()

    async def place(self, app: Process, key: str | None = None, to: str = NUMBER) -> Answer:
        headers = {"Idempotency-Key": key} if key else {}
        return await self.ask(app, "POST", "/api/vapi_call", json={"to": to, "allowDuplicate": True}, headers=headers)

    async def speak_until_written(self, call_id: str, path: Path) -> None:
        """Sends silence to all who listen to a call until its recorder, which is not the only one, has written some."""
        async with asyncio.timeout(HANG_S):
            while not path.exists() or not path.stat().st_size:  # noqa: ASYNC240 - another process writes it
                for socket in list(self.vapi.listeners[call_id]):
                    await socket.send_bytes(bytes(64_000))
                await asyncio.sleep(0.05)

    async def answer_of(self, app: Process, key: str) -> Answer:
        """What the key is answered in the end."""
        while True:
            status, body = await self.place(app, key)
            if status != 409:
                return status, body
            assert body["code"] == "idempotency_in_progress"
            await asyncio.sleep(0.05)


@pytest.fixture
async def apps(tmp_path: Path, url: str) -> AsyncIterator[Apps]:
    async with stand_in() as vapi, aiohttp.ClientSession() as session, AsyncExitStack() as stack:
        yield Apps(tmp_path, url, vapi, session, stack)


async def test_a_key_that_two_apps_are_given_at_once_is_one_call_with_one_answer(apps: Apps) -> None:
    both = [await apps.start(EARSHOT_CALLS_PER_HOUR="100", EARSHOT_CONCURRENT_CALLS="100") for _ in range(2)]
    keys = [f"key-{number}" for number in range(20)]
    answers = await asyncio.gather(*(apps.answer_of(app, key) for key in keys for app in both))
    assert {status for status, _ in answers} == {201}
    assert set(Counter(body["id"] for _, body in answers).values()) == {2}
    assert {body["id"] for _, body in answers} == set(apps.vapi.calls)
    assert apps.vapi.dials == len(keys)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("EARSHOT_CALLS_PER_HOUR", "rate_limited"),
        ("EARSHOT_CALLS_PER_DAY", "daily_limit_exceeded"),
        ("EARSHOT_CONCURRENT_CALLS", "concurrency_limit_exceeded"),
    ],
)
async def test_two_apps_share_each_limit(apps: Apps, name: str, code: str) -> None:
    limits = dict.fromkeys(("EARSHOT_CALLS_PER_HOUR", "EARSHOT_CALLS_PER_DAY", "EARSHOT_CONCURRENT_CALLS"), "100") | {name: "3"}
    both = [await apps.start(**limits) for _ in range(2)]
    answers = await asyncio.gather(*(apps.place(app) for _ in range(8) for app in both))
    assert Counter(body.get("code", status) for status, body in answers) == {201: 3, code: 13}
    assert apps.vapi.dials == 3
    if code == "concurrency_limit_exceeded":
        placed = next(body for status, body in answers if status == 201)
        for app in both:
            await apps.ask(app, "POST", placed["links"]["self"] + "/end")
        assert (await apps.place(both[0]))[0] == 201
        assert (await apps.place(both[1]))[1]["code"] == code


async def test_a_stop_and_a_block_at_one_app_bind_the_other_at_its_next_dial(apps: Apps) -> None:
    one, other = [await apps.start() for _ in range(2)]
    for _ in range(3):
        assert (await apps.ask(one, "POST", "/api/dialling/stop"))[0] == 200
        assert (await apps.place(other))[1]["code"] == "stopped"
        assert (await apps.ask(other, "POST", "/api/dialling/resume"))[0] == 200
        assert (await apps.ask(one, "POST", "/api/dialling/blocked", json={"rule": NUMBER}))[1] == {"rules": [NUMBER]}
        assert (await apps.place(other))[1]["code"] == "number_blocked"
        assert (await apps.ask(one, "DELETE", "/api/dialling/blocked", params={"rule": NUMBER}))[1] == {"rules": []}
    assert apps.vapi.dials == 0


async def test_a_call_of_one_app_can_be_heard_and_read_at_the_other_at_once(apps: Apps) -> None:
    one, other = [await apps.start() for _ in range(2)]
    for _ in range(3):
        _, call = await apps.place(one)
        there = call["listenUrl"].replace(one.url.removeprefix("http"), other.url.removeprefix("http"))
        assert there != call["listenUrl"]
        async with connect(there) as socket:
            assert json.loads(await socket.recv())["type"] == "stream"
        assert (await apps.ask(other, "GET", f"/api/calls/{call['id']}"))[1]["id"] == call["id"]
        assert (await apps.ask(other, "POST", f"/api/calls/{call['id']}/end"))[1]["status"] == "ended"


async def test_a_login_at_one_app_holds_at_the_other_and_a_logout_there_ends_streams_and_tickets(apps: Apps) -> None:
    token = entry("robot", "*", "robot")
    one, other = [await apps.start(EARSHOT_PASSWORD="secret", EARSHOT_API_TOKENS=token) for _ in range(2)]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.post(one.url + "/login", data={"password": "secret"}, allow_redirects=False) as answer:
            assert answer.status == 303
        async with browser.post(other.url + "/api/vapi_call", json={"to": NUMBER}) as answer:
            call = await answer.json()
            assert answer.status == 201, call
        ticket = call["listenUrl"].partition("?")[2]
        socket_at = f"{one.url.replace('http', 'ws')}/api/calls/{call['id']}/listen?{ticket}"
        async with browser.get(f"{one.url}/api/calls/{call['id']}/events") as events, connect(socket_at) as socket:
            await events.content.readline()
            await socket.recv()
            async with browser.post(other.url + "/logout", allow_redirects=False) as answer:
                assert answer.status == 303
            async with asyncio.timeout(HANG_S):
                await events.content.read()  # to the end of the stream
                await socket.wait_closed()
            assert socket.close_code == 4401
        async with connect(socket_at) as socket:
            await socket.wait_closed()
            assert socket.close_code == 4401
    for app in (one, other):
        assert app.stop() == 0
        assert "without completing" not in app.output


async def test_one_app_records_a_call_and_the_other_continues_when_it_is_killed(apps: Apps) -> None:
    one = await apps.start(EARSHOT_RECORD="on")
    _, call = await apps.place(one)
    apps.vapi.move(call["id"], "in-progress")
    recorders = "SELECT call_id, recorder FROM earshot_recordings"
    async with asyncio.timeout(HANG_S):
        # Not only the recorder listens.
        while not apps.vapi.requests["WS listen"] or not (holder := await execute(apps.url, recorders)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert [row[0] for row in holder] == [call["id"]]
    other = await apps.start(EARSHOT_RECORD="on")
    status, answer = await apps.ask(other, "POST", f"/api/calls/{call['id']}/recording", json={"on": True})
    assert (status, answer["on"], answer["problem"]) == (200, True, None), "it is being recorded already"
    assert apps.vapi.requests["WS listen"] == 1
    one.kill()
    async with asyncio.timeout(HANG_S):
        while apps.vapi.requests["WS listen"] < 2 or await execute(apps.url, recorders) == holder:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_recording_of_one_app_in_a_shared_folder_is_answered_by_the_other(apps: Apps, tmp_path: Path) -> None:
    shared = {"EARSHOT_RECORD": "on", "EARSHOT_RECORDINGS": str(tmp_path / "shared")}
    one, other = [await apps.start(**shared) for _ in range(2)]
    _, call = await apps.place(one)
    apps.vapi.move(call["id"], "in-progress")
    await apps.speak_until_written(call["id"], tmp_path / "shared" / call["id"] / "1.pcm")
    await apps.ask(one, "POST", f"/api/calls/{call['id']}/end")
    async with asyncio.timeout(HANG_S):
        for app in (one, other):
            while (await apps.ask(app, "GET", f"/api/calls/{call['id']}/recording/info"))[0] != 200:  # noqa: ASYNC110 - it is finished whenever it is
                await asyncio.sleep(0.05)
            async with aiohttp.request("GET", f"{app.url}/api/calls/{call['id']}/recording") as answer:
                assert answer.content_type == "audio/flac"


@asynccontextmanager
async def nobody_writes(url: str) -> AsyncIterator[None]:
    """Every write to the journal waits, in every process, until this is over."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as file:
            file.execute("BEGIN IMMEDIATE")
            yield
        return
    from sqlalchemy.ext.asyncio import create_async_engine  # loads the ORM, which nothing on SQLite needs

    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        await connection.execute(text(f"SELECT pg_advisory_lock({_WRITERS_LOCK})"))
        yield
    await engine.dispose()


async def came_so_far(apps: Apps, app: Process) -> None:
    """What was sent to the app before has been taken up by it: it answers in turn."""
    for _ in range(3):
        await apps.ask(app, "GET", "/health")


async def before_the_write(apps: Apps, app: Process) -> None:
    async with nobody_writes(apps.url):
        asking = asyncio.create_task(apps.place(app, "key"))
        await came_so_far(apps, app)
        app.kill()
        await nothing_was_answered(asking)
    assert await execute(apps.url, "SELECT tag FROM earshot_dials") == []


async def before_vapi_takes_it(apps: Apps, app: Process) -> None:
    apps.vapi.answer = "hang"
    await dialled_and_killed(apps, app)


async def before_vapis_answer(apps: Apps, app: Process) -> None:
    apps.vapi.answer = "created then hang"
    await dialled_and_killed(apps, app)


async def dialled_and_killed(apps: Apps, app: Process) -> None:
    asking = asyncio.create_task(apps.place(app, "key"))
    await apps.vapi.heard.wait()
    await came_so_far(apps, app)
    app.kill()
    await nothing_was_answered(asking)


async def before_vapis_answer_is_written(apps: Apps, app: Process) -> None:
    apps.vapi.answer = "held, created"
    asking = asyncio.create_task(apps.place(app, "key"))
    await apps.vapi.heard.wait()
    async with nobody_writes(apps.url):
        apps.vapi.let_go.set()
        while not apps.vapi.calls:  # noqa: ASYNC110 - the stand-in tells of requests, not of answers
            await asyncio.sleep(0)
        await came_so_far(apps, app)
        app.kill()
        await nothing_was_answered(asking)
    assert [row[0] for row in await execute(apps.url, "SELECT state FROM earshot_dials")] == ["dialling"]


async def before_our_answer(apps: Apps, app: Process) -> None:
    """Whoever asked has gone when the answer is there."""
    apps.vapi.answer = "held, created"
    asking = asyncio.create_task(apps.place(app, "key"))
    await apps.vapi.heard.wait()
    asking.cancel()
    apps.vapi.let_go.set()
    while [row[0] for row in await execute(apps.url, "SELECT state FROM earshot_dials")] != ["placed"]:  # noqa: ASYNC110 - another process's
        await asyncio.sleep(0.01)
    app.kill()


async def nothing_was_answered(asking: asyncio.Task[Answer]) -> None:
    with pytest.raises(aiohttp.ClientError):
        await asking


@pytest.mark.parametrize(
    ("killed", "status"),
    [
        (before_the_write, 201),
        (before_vapi_takes_it, 202),
        (before_vapis_answer, 201),
        (before_vapis_answer_is_written, 201),
        (before_our_answer, 201),
    ],
)
async def test_an_app_that_is_killed_places_a_call_once_and_its_key_has_one_answer(
    apps: Apps, killed: Callable[[Apps, Process], Awaitable[None]], status: int
) -> None:
    await killed(apps, await apps.start())
    await let_20_seconds_pass(apps.url)
    assert apps.vapi.dials == (0 if killed is before_the_write else 1)
    apps.vapi.answer = "created"
    again = await apps.start()
    answers = [await apps.answer_of(again, "key") for _ in range(2)]
    assert [found for found, _ in answers] == [status, status]
    assert answers[0][1]["id"] == answers[1][1]["id"]
    assert apps.vapi.dials == 1
    if status == 201:
        assert list(apps.vapi.calls) == [answers[0][1]["id"]]
    else:
        assert (answers[0][1]["status"], apps.vapi.calls) == ("unknown", {})
    rows = await execute(apps.url, "SELECT who, action, to_number, outcome FROM earshot_audit")
    assert [tuple(row) for row in rows] == [("local", "dial", NUMBER, "queued" if status == 201 else "unknown")]
