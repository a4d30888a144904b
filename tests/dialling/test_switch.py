"""The switch that stops all dialling, over restarts and processes, and its routes; and ending all calls at once."""
# ruff: noqa: ASYNC240 - a few bytes that only the test is waiting for

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from fastapi import FastAPI, Request
from starlette.middleware.base import RequestResponseEndpoint
from starlette.responses import Response

from services.dialling.switch import FILE, Stop, Switch
from services.domain.call import Call, CallStatus
from services.domain.client import Client, Scope
from services.domain.errors import HangUpUnconfirmed, JournalError
from services.web.problems import install_problems
from services.web.routes.switch import switch_router
from tests.patience import HANG_S
from tests.serving import serving


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stopped"


async def opened(path: Path) -> Switch:
    switch = Switch(path)
    await switch.refresh()
    return switch


async def test_a_stop_holds_over_a_restart_until_it_is_taken_away(path: Path) -> None:
    switch = await opened(path)
    heard: list[Stop | None] = []
    switch.changed.subscribe(heard.append)
    assert switch.state is None
    stop = await switch.stop("page", "wrong list")
    assert (await opened(path)).state == stop == switch.state
    assert (stop.by, stop.reason) == ("page", "wrong list")
    await switch.resume("page")
    assert (await opened(path)).state is None
    assert heard == [stop, None]
    assert os.listdir(path.parent) == []


async def test_who_stopped_first_stays_on_record(path: Path) -> None:
    switch = await opened(path)
    first = await switch.stop("page")
    assert await switch.stop("robot", "me too") == first
    assert await (await opened(path)).stop("other process") == first


async def test_other_processes_on_the_folder_see_it(path: Path) -> None:
    one, other = await opened(path), await opened(path)
    heard: asyncio.Queue[Stop | None] = asyncio.Queue()
    other.changed.subscribe(heard.put_nowait)
    following = asyncio.create_task(other.follow())
    stop = await one.stop("page")
    await other.refresh()
    assert other.state == stop
    await one.resume("page")
    async with asyncio.timeout(HANG_S):
        assert [await heard.get(), await heard.get()] == [stop, None]
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following


@pytest.mark.parametrize("text", ["", "lunch", "{}", "[]", "null", '{"by": "x", "since": "yesterday", "reason": ""}', "\x00\xff"])
async def test_whatever_is_in_the_file_it_stops(path: Path, text: str) -> None:
    path.write_text(text, "latin-1")
    switch = await opened(path)
    assert switch.state
    assert switch.state.by == FILE
    await switch.resume("page")
    assert switch.state is None


async def test_who_stopped_and_resumed_is_noted_and_a_journal_that_fails_keeps_nobody_from_it(path: Path) -> None:
    noted: list[tuple[str, str, str]] = []

    async def note(*what: str) -> None:
        noted.append(what)  # type: ignore[arg-type]
        raise JournalError("The disk is full.")

    switch = Switch(path, note)
    await switch.stop("robot", "wrong list")
    assert switch.state
    await switch.resume("page")
    assert switch.state is None
    assert noted == [("robot", "stop-dialling", "wrong list"), ("page", "resume-dialling", "")]


async def test_a_stop_that_can_not_be_written_down_holds_all_the_same(tmp_path: Path) -> None:
    switch = await opened(tmp_path / "no such folder" / "stopped")
    stop = await switch.stop("page")
    await switch.refresh()
    assert switch.state == stop
    await switch.resume("page")
    assert switch.state is None


async def test_a_stop_that_can_not_be_taken_away_goes_on(path: Path) -> None:
    path.mkdir()
    switch = await opened(path)
    with pytest.raises(OSError, match="stopped"):
        await switch.resume("page")
    assert switch.state


async def test_stops_and_resumes_at_once_leave_file_and_state_agreeing(path: Path) -> None:
    switch = await opened(path)
    for _ in range(50):  # each begins with nothing on record, so that both have something to do
        await asyncio.gather(switch.stop("page"), switch.resume("page"), switch.stop("page"), switch.resume("page"))
        assert (switch.state is not None) == path.exists()
        assert (await opened(path)).state == switch.state
        await switch.resume("page")


class Api:
    """The routes as a program sees them that has `scopes`."""

    def __init__(self, url: str, session: aiohttp.ClientSession, desk: "Desk") -> None:
        self.url = url
        self.session = session
        self.desk = desk
        self.scopes = frozenset(Scope)

    async def ask(self, method: str, path: str, **more: object) -> tuple[int, dict[str, object]]:
        async with self.session.request(method, self.url + path, **more) as answer:  # type: ignore[arg-type]
            return answer.status, await answer.json(content_type=None)


class Desk:
    """Three calls: one that ends, one of which nobody confirms that it does, one at which something is broken."""

    def __init__(self) -> None:
        self._calls = {name: Call(id=name, status=CallStatus.IN_PROGRESS) for name in ("ends", "hangs", "breaks")}
        self._calls["over"] = Call(id="over", status=CallStatus.ENDED)
        self.ended_by: list[tuple[str, str]] = []
        self.noted: list[tuple[str, str, str]] = []

    def calls(self) -> list[Call]:
        return list(self._calls.values())

    async def caught_up(self) -> None:
        pass

    def note(self, client: Client, action: str, call: Call | None = None, *, outcome: str = "") -> None:
        self.noted.append((client.name, action, outcome))

    async def end(self, call_id: str, client: Client) -> Call:
        self.ended_by.append((call_id, client.name))
        while len(self.ended_by) < 3:  # noqa: ASYNC110 - none is answered before all have been asked for
            await asyncio.sleep(0)
        if call_id == "hangs":
            raise HangUpUnconfirmed("Vapi has not confirmed it.")
        if call_id == "breaks":
            raise ZeroDivisionError("secret")
        self._calls[call_id] = replace(self._calls[call_id], status=CallStatus.ENDED)
        return self._calls[call_id]


@pytest.fixture
async def api(path: Path) -> AsyncIterator[Api]:
    desk = Desk()
    app = FastAPI()
    install_problems(app)
    app.include_router(switch_router(switch=await opened(path), desk=desk))

    @app.middleware("http")
    async def name(request: Request, go_on: RequestResponseEndpoint) -> Response:
        request.state.client = Client(name="robot", scopes=made.scopes)
        return await go_on(request)

    async with serving(app) as url, aiohttp.ClientSession() as session:
        made = Api(url, session, desk)
        yield made


async def test_the_routes_stop_tell_and_resume(api: Api, path: Path) -> None:
    allowed = {"allowed": True, "since": None, "by": None, "reason": None}
    assert await api.ask("GET", "/api/dialling") == (200, allowed)
    status, stopped = await api.ask("POST", "/api/dialling/stop", json={"reason": "wrong list"})
    assert status == 200
    assert stopped == {"allowed": False, "since": stopped["since"], "by": "robot", "reason": "wrong list"}
    assert str(stopped["since"]).endswith("Z")
    assert json.loads(path.read_text())["by"] == "robot"
    assert await api.ask("GET", "/api/dialling") == (200, stopped)
    assert await api.ask("POST", "/api/dialling/stop") == (200, stopped)
    assert await api.ask("POST", "/api/dialling/resume") == (200, allowed)
    path.touch()
    assert (await api.ask("GET", "/api/dialling"))[1]["by"] == FILE


async def test_the_routes_ask_for_their_scopes(api: Api) -> None:
    api.scopes = frozenset({Scope.READ})
    assert (await api.ask("GET", "/api/dialling"))[0] == 200
    for path in ("/api/dialling/stop", "/api/dialling/resume", "/api/calls/end-all"):
        status, problem = await api.ask("POST", path)
        assert (status, problem["code"]) == (403, "forbidden_scope")
    api.scopes = frozenset({Scope.CONTROL})
    assert (await api.ask("GET", "/api/dialling"))[0] == 403
    assert (await api.ask("POST", "/api/dialling/stop"))[0] == 200
    assert (await api.ask("POST", "/api/dialling/resume"))[1]["code"] == "forbidden_scope"
    api.scopes = frozenset({Scope.MANAGE})
    for path in ("/api/dialling/stop", "/api/dialling/resume"):
        assert (await api.ask("POST", path))[0] == 200


@pytest.mark.parametrize("body", [{"why": "x"}, {"reason": "x" * 201}, {"reason": 1}, []])
async def test_a_body_that_makes_no_sense_stops_nothing(api: Api, body: object, path: Path) -> None:
    assert (await api.ask("POST", "/api/dialling/stop", json=body))[0] == 422
    assert not path.exists()


async def test_all_calls_are_ended_at_once(api: Api) -> None:
    async with asyncio.timeout(HANG_S):
        status, outcome = await api.ask("POST", "/api/calls/end-all")
    assert (status, outcome["ended"]) == (200, ["ends"])
    assert outcome["unconfirmed"] == [
        {"id": "hangs", "detail": "Vapi has not confirmed it."},
        {"id": "breaks", "detail": "Something went wrong in Earshot. The log tells more."},
    ]
    assert sorted(api.desk.ended_by) == [("breaks", "robot"), ("ends", "robot"), ("hangs", "robot")]
    assert api.desk.noted == [("robot", "end-all", "1 ended, 2 unconfirmed")]
