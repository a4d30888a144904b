"""The switch that stops all dialling, over restarts and processes, and its routes; and ending all calls at once."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from fastapi import FastAPI, Request
from starlette.middleware.base import RequestResponseEndpoint
from starlette.responses import Response

from services.dialling import switch as switch_module
from services.dialling.journal_states import States
from services.dialling.switch import STATE, Stop, Switch
from services.domain.call import Call, CallStatus
from services.domain.client import Client, Scope
from services.domain.errors import HangUpUnconfirmed, JournalError
from services.journal import Dial, Journal
from services.web.problems import install_problems
from services.web.routes.switch import switch_router
from tests.journals import open_journal
from tests.patience import HANG_S
from tests.serving import serving


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'journal.sqlite'}"


@pytest.fixture
async def journal(url: str) -> AsyncIterator[Journal]:
    journal = await open_journal(url)
    yield journal
    await journal.aclose()


async def opened(journal: States) -> Switch:
    switch = Switch(journal)
    await switch.load()
    return switch


async def test_a_stop_holds_over_a_restart_until_it_is_taken_away(journal: Journal) -> None:
    switch = await opened(journal)
    heard: list[Stop | None] = []
    switch.changed.subscribe(heard.append)
    assert switch.state is None
    stop = await switch.stop("page", "wrong list")
    assert (await opened(journal)).state == stop == switch.state
    assert (stop.by, stop.reason) == ("page", "wrong list")
    await switch.resume("page")
    assert (await opened(journal)).state is None
    assert heard == [stop, None]


async def test_who_stopped_first_stays_on_record(journal: Journal) -> None:
    one, other = await opened(journal), await opened(journal)
    first = await one.stop("page")
    assert await one.stop("robot", "me too") == first
    assert await other.stop("other process") == first


@pytest.mark.parametrize("text", ["lunch", "{}", "[]", "null", '{"by": "x", "since": "yesterday", "reason": ""}', "\xff"])
async def test_whatever_the_journal_says_it_stops(journal: Journal, text: str) -> None:
    await journal.change_state(STATE, lambda _: text)
    switch = await opened(journal)
    assert switch.state
    await switch.resume("page")
    assert switch.state is None


async def test_who_stopped_and_resumed_is_noted_and_an_audit_that_fails_keeps_nobody_from_it(journal: Journal) -> None:
    noted: list[tuple[str, str, str]] = []

    async def note(*what: str) -> None:
        noted.append(what)  # type: ignore[arg-type]
        raise JournalError("The disk is full.")

    switch = Switch(journal, note)
    await switch.stop("robot", "wrong list")
    assert switch.state
    await switch.resume("page")
    assert switch.state is None
    assert noted == [("robot", "stop-dialling", "wrong list"), ("page", "resume-dialling", "")]


class Locked:
    """A journal that can't be written while `broken`."""

    def __init__(self, journal: Journal, error: Exception | None = None) -> None:
        self.error = error or JournalError("The disk is full.")
        self.broken = True
        self.tries = 0
        self._journal = journal
        self.state = journal.state

    async def change_state(self, name: str, change: Callable[[str], str]) -> tuple[str, int]:
        self.tries += 1
        if self.broken:
            raise self.error
        return await self._journal.change_state(name, change)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switch_module, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(switch_module, "_RETRY_S", 0.01)
    monkeypatch.setattr("services.support.tasks._AGAIN_S", 0.01)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("error", [JournalError("The disk is full."), SystemError("odd")])
async def test_a_stop_that_can_not_be_written_yet_holds_and_is_written_as_soon_as_it_can_be(journal: Journal, error: Exception) -> None:
    locked = Locked(journal, error)
    switch = await opened(locked)
    stop = await switch.stop("page")
    switch.follow("", 1)  # another process resumed before: what it wrote is no answer to this stop
    assert switch.state == stop
    locked.broken = False
    async with asyncio.timeout(HANG_S):
        while (await opened(journal)).state != stop:  # noqa: ASYNC110 - it is written whenever it can be
            await asyncio.sleep(0.01)
    await switch.aclose()


@pytest.mark.usefixtures("impatient")
async def test_a_resume_withdraws_every_stop_that_is_not_written_yet(journal: Journal) -> None:
    locked = Locked(journal)
    switch = Switch(locked)
    for who in ("page", "robot"):
        await switch.stop(who)
    locked.broken = False
    await switch.resume("page")
    await asyncio.sleep(0.1)  # ten times as long as a stop waits before it is tried again
    assert switch.state is None
    assert (await journal.state(STATE))[0] == ""
    await switch.aclose()


@pytest.mark.usefixtures("impatient")
async def test_a_resume_that_can_not_be_written_leaves_dialling_stopped(journal: Journal) -> None:
    locked = Locked(journal)
    switch = await opened(locked)
    await switch.stop("page")
    with pytest.raises(JournalError):
        await switch.resume("page")
    assert switch.state
    tried = locked.tries
    await asyncio.sleep(0.1)
    assert locked.tries == tried  # nothing stops dialling again once somebody has resumed it
    locked.broken = False
    await switch.resume("page")
    assert switch.state is None


async def test_what_is_older_than_what_is_known_changes_nothing(journal: Journal) -> None:
    switch = await opened(journal)
    stop = await switch.stop("page")
    switch.follow("", 0)
    assert switch.state == stop


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

    async def find_running(self) -> list[Call]:
        return [call for call in self._calls.values() if call.running]

    async def hang_up_open_dials(self, _client: Client) -> Sequence[Dial]:
        return ()

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
async def api(journal: Journal) -> AsyncIterator[Api]:
    desk = Desk()
    app = FastAPI()
    install_problems(app)
    app.include_router(switch_router(switch=await opened(journal), desk=desk))

    @app.middleware("http")
    async def name(request: Request, go_on: RequestResponseEndpoint) -> Response:
        request.state.client = Client(name="robot", scopes=made.scopes)
        return await go_on(request)

    async with serving(app) as url, aiohttp.ClientSession() as session:
        made = Api(url, session, desk)
        yield made


async def test_the_routes_stop_tell_and_resume(api: Api, journal: Journal) -> None:
    allowed = {"allowed": True, "since": None, "by": None, "reason": None}
    assert await api.ask("GET", "/api/dialling") == (200, allowed)
    status, stopped = await api.ask("POST", "/api/dialling/stop", json={"reason": "wrong list"})
    assert status == 200
    assert stopped == {"allowed": False, "since": stopped["since"], "by": "robot", "reason": "wrong list"}
    assert str(stopped["since"]).endswith("Z")
    assert json.loads((await journal.state(STATE))[0])["by"] == "robot"
    assert await api.ask("GET", "/api/dialling") == (200, stopped)
    assert await api.ask("POST", "/api/dialling/stop") == (200, stopped)
    assert await api.ask("POST", "/api/dialling/resume") == (200, allowed)


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
async def test_a_body_that_makes_no_sense_stops_nothing(api: Api, body: object, journal: Journal) -> None:
    assert (await api.ask("POST", "/api/dialling/stop", json=body))[0] == 422
    assert await journal.state(STATE) == ("", 0)


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
    assert (await api.ask("GET", "/api/dialling"))[1]["by"] == "robot"  # dialling was stopped first, and stays stopped
