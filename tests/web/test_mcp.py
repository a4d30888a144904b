"""MCP with the official client over real sockets: who may use it, what its tools do, and that they do what REST does."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.types import Message

from services.demo_line import DemoLine
from services.desk.placing import dial_question, dial_questions
from services.domain.client import LOCAL, PAGE, Scope
from services.domain.client import Client as Person
from services.domain.errors import VapiRefused
from services.support.rfc3339 import rfc3339
from services.support.root_path import serve_under
from services.vapi.gateway import Gateway
from services.web.mcp.route import McpRoute
from tests.journal.conftest import execute
from tests.patience import HANG_S
from tests.process import ROOT
from tests.stand_in import StandIn
from tests.web.assistants import Assistant, assistant
from tests.web.test_api import NUMBER, Client, client_of
from tests.web.test_tokens import entry

ALL = ["mcp", "read", "call", "control"]
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
MCP = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path) -> AsyncIterator[Client]:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url)) as made:
        yield made


async def token(client: Client, *scopes: str, name: str = "agent", unasked: bool = True) -> str:
    return await client.desk.tokens.make(name, scopes or ALL, 30, PAGE, dials_unasked=unasked)


async def asked(client: Client, made: str = "", method: str = "POST", **headers: str) -> tuple[int, str]:
    """The status and the code of a request to `/mcp` that is not of the official client."""
    if made:
        headers["Authorization"] = f"Bearer {made}"
    async with client.session.request(method, f"{client.url}/mcp", data=json.dumps(PING), headers={**MCP, **headers}) as answer:
        body = await answer.json(content_type=None)
        return answer.status, body.get("code", "")


@pytest.mark.slow
async def test_it_is_off_until_a_token_has_its_scope(client: Client) -> None:
    assert await asked(client) == (404, "not_found")
    other = await token(client, "read", "call", name="crm")
    assert await asked(client, other) == (404, "not_found")
    made = await token(client)
    assert await asked(client, made) == (200, "")
    assert await asked(client, other) == (403, "forbidden_scope")
    assert await asked(client) == (401, "unauthorized")
    assert await asked(client, "guessed") == (401, "unauthorized")
    [known] = [one for one in client.desk.tokens.all() if one.name == "agent"]
    await client.desk.tokens.revoke(known.id, PAGE)
    assert await asked(client, made) == (401, "unauthorized")
    assert await asked(client, other) == (404, "not_found")


async def test_other_websites_and_hosts_are_refused_as_everywhere(client: Client) -> None:
    made = await token(client)
    assert await asked(client, made, Origin="http://evil.example") == (403, "cross_origin")
    assert await asked(client, made, Origin=client.url) == (200, "")
    assert await asked(client, made, Host="evil.example") == (400, "host_not_allowed")
    for method in ("GET", "DELETE"):
        assert await asked(client, made, method=method) == (405, "method_not_allowed")


@pytest.mark.parametrize("client_", [PAGE, LOCAL, Person(name="dana", person="1")])
async def test_a_login_is_no_token(client: Client, client_: Person) -> None:
    """A browser sends its cookie whichever page asks."""
    route = McpRoute(client.desk, FastAPI(), configured=True, version="1")
    answered: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        answered.append(message)

    await route({"type": "http", "method": "POST", "path": "/mcp", "headers": [], "state": {"client": client_}}, receive, send)
    assert answered[0]["status"] == 403


@pytest.mark.slow
async def test_it_works_under_a_path(vapi: StandIn, tmp_path: Path) -> None:
    serve_under("/calls")
    try:
        async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), root_path="/calls") as client:
            made = await token(client)
            for prefix in ("/calls", ""):  # a proxy may pass the path on or remove it
                async with assistant(client.url + prefix, made) as agent:
                    error, call = await agent.ask("place_call", to=NUMBER, idempotencyKey="k")
                    assert (error, call["links"]["self"]) == (False, f"/calls/api/calls/{call['id']}")
                    error, found = await agent.ask("get_call", callId=call["id"])
                    assert (error, found["id"]) == (False, call["id"])
    finally:
        serve_under("")


@pytest.mark.slow
async def test_a_token_of_the_settings_opens_it_too(vapi: StandIn, tmp_path: Path) -> None:
    tokens = f"{entry('agent', 'mcp+read', 'agent')},{entry('crm', 'read', 'crm')}"
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), api_tokens=tokens) as client:
        assert await asked(client, "crm") == (403, "forbidden_scope")
        async with assistant(client.url, "agent") as agent:
            assert await agent.tools() == ["get_call", "list_calls", "transcript", "measures"]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_tool_needs_the_scope_that_rest_asks_for(client: Client, mode: str) -> None:
    made = await token(client, "mcp")
    async with assistant(client.url, made, mode) as agent:
        assert await agent.tools() == []
        for tool, arguments in (
            ("place_call", {"to": NUMBER}),
            ("place_call", {"to": NUMBER, "dryRun": True}),
            ("get_call", {"callId": "one"}),
            ("list_calls", {}),
            ("transcript", {"callId": "one"}),
            ("measures", {"callId": "one"}),
            ("say", {"callId": "one", "content": "Hi"}),
            ("end_call", {"callId": "one"}),
        ):
            error, answer = await agent.ask(tool, **arguments)
            assert (error, answer["code"]) == (True, "forbidden_scope"), tool


@pytest.mark.slow
async def test_guard_caps_key_and_dry_run_are_those_of_rest(vapi: StandIn, tmp_path: Path) -> None:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), concurrent_calls=1) as client:
        made = await token(client)
        async with assistant(client.url, made) as agent:
            for arguments, code in (
                ({"to": "hello"}, "invalid_number"),
                ({"to": NUMBER, "number": "+12125550100"}, "invalid_request"),
                ({"to": NUMBER, "wrong": 1}, "invalid_request"),
                ({"to": NUMBER, "maxDurationSeconds": 40_000}, "invalid_request"),
                ({}, "invalid_request"),
            ):
                error, answer = await agent.ask("place_call", **arguments)
                assert (error, answer["code"]) == (True, code), arguments
            error, answer = await agent.ask("place_call", to=NUMBER, dryRun=True)
            assert (error, answer["dryRun"], answer["to"]) == (False, True, NUMBER)
            assert not vapi.bodies
            first = await agent.ask("place_call", to=NUMBER, idempotencyKey='a "key"')
            again = await agent.ask("place_call", to=NUMBER, idempotencyKey='a "key"')
            assert first[0] is again[0] is False
            assert first[1]["id"] == again[1]["id"]
            error, answer = await agent.ask("place_call", to="+12125550100", idempotencyKey='a "key"')
            assert (error, answer["code"]) == (True, "idempotency_key_reused")
            error, answer = await agent.ask("place_call", to="+12125550100")
            assert (error, answer["code"]) == (True, "concurrency_limit_exceeded")
            await client.desk.switch.stop(PAGE.name)
            error, answer = await agent.ask("place_call", to=NUMBER, allowDuplicate=True)
            assert (error, answer["code"]) == (True, "stopped")
        assert len(vapi.bodies) == 1


@pytest.mark.slow
async def test_a_call_of_an_assistant_is_marked(client: Client) -> None:
    made = await token(client)
    async with assistant(client.url, made) as agent:
        _, call = await agent.ask("place_call", to=NUMBER)
        assert (call["placedBy"], call["byMachine"]) == ("agent", True)
        _, found = await agent.ask("get_call", callId=call["id"])
        assert (found["placedBy"], found["byMachine"]) == ("agent", True)
    [entry] = await client.desk.timeline(call["id"])
    assert (entry.action, entry.who, entry.outcome) == ("machine-dial", "agent", "taken")
    crm = await token(client, "call", name="crm")
    body = {"to": "+12125550100"}
    _, call, _ = await client.ask("POST", "/api/vapi_call", json=body, headers={"Authorization": f"Bearer {crm}"})
    assert (call["placedBy"], call["byMachine"]) == ("crm", False)


@pytest.mark.slow
async def test_ids_reach_no_other_route(client: Client) -> None:
    made = await token(client)
    async with assistant(client.url, made) as agent:
        for wrong in ("../dialling", "a/end", "%2e%2e", "", "a" * 65, "a?b"):
            error, answer = await agent.ask("get_call", callId=wrong)
            assert (error, answer["code"]) == (True, "invalid_request"), wrong
        error, answer = await agent.ask("get_call", callId="none")
        assert (error, answer["code"]) == (True, "call_not_found")


@pytest.mark.slow
async def test_the_whole_round_on_the_demo_line(tmp_path: Path) -> None:
    async with DemoLine(ring_seconds=0.05) as line:
        gateway = Gateway(api_key=line.api_key, base_url=line.base_url)
        options: dict[str, Any] = {"assistant_id": line.assistant_id, "phone_number_id": line.phone_number_id}
        async with client_of(tmp_path, gateway, measured=True, **options) as client, asyncio.timeout(3 * HANG_S):
            made = await token(client)
            async with assistant(client.url, made) as agent:
                assert await agent.tools() == ["place_call", "get_call", "list_calls", "transcript", "measures", "say", "end_call"]
                error, call = await agent.ask("place_call", to=NUMBER)
                assert not error, call
                await _round(agent, call["id"])


async def until(agent: Assistant, tool: str, call_id: str, done: Callable[[dict[str, Any]], bool]) -> None:
    while True:
        if done((await agent.ask(tool, callId=call_id))[1]):
            return
        await asyncio.sleep(0.1)


async def _round(agent: Assistant, call_id: str) -> None:
    await until(agent, "get_call", call_id, lambda call: call["status"] == "in-progress")
    await until(agent, "measures", call_id, lambda figures: figures.get("seconds", 0) > 3)
    error, _ = await agent.ask("say", callId=call_id, content="One moment, please.")
    assert not error
    await until(agent, "transcript", call_id, lambda said: any("One moment" in line["text"] for line in said["lines"]))
    error, ended = await agent.ask("end_call", callId=call_id)
    assert (error, ended["status"]) == (False, "ended")
    _, listed = await agent.ask("list_calls", status=["ended"], limit=5)
    assert [call["id"] for call in listed["calls"]] == [call_id]
    assert (await agent.ask("list_calls", status=["queued"]))[1]["calls"] == []


@pytest.mark.process
def test_the_package_is_imported_only_when_it_is_wanted() -> None:
    """Importing it takes longer than starting the rest."""
    source = "import sys, main; print(*{'mcp', 'mcp_types', 'httpx2', 'services.web.mcp.server'} & sys.modules.keys())"
    ended = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, b"\n")


@pytest.mark.slow
async def test_every_scope_of_a_tool_is_one_of_rest(client: Client) -> None:
    made = await token(client, *Scope)
    async with assistant(client.url, made) as agent:
        listed = (await agent.client.list_tools()).tools
    assert {tool.name: tool.annotations.read_only_hint for tool in listed if tool.annotations} == {
        "place_call": False,
        "get_call": True,
        "list_calls": True,
        "transcript": True,
        "measures": True,
        "say": False,
        "end_call": False,
    }
    for tool in listed:
        assert tool.input_schema["type"] == "object"
        assert tool.input_schema["additionalProperties"] is False


async def asks(client: Client) -> str:
    """The id of the question that the page asks, once it does."""
    async with asyncio.timeout(HANG_S):
        while True:
            if waiting := client.desk.questions.waiting():
                return waiting[-1].id
            await asyncio.sleep(0.01)


@pytest.mark.slow
async def test_a_call_waits_until_somebody_confirms_it(vapi: StandIn, client: Client) -> None:
    client.desk.questions.watch(lambda: True)
    made = await token(client, unasked=False)
    async with assistant(client.url, made) as agent, asyncio.timeout(HANG_S):
        for _ in range(2):
            error, answer = await agent.ask("place_call", to=NUMBER, waitSeconds=0)
            assert (error, answer["status"]) == (False, "waiting_for_confirmation")
        assert not vapi.bodies
        placing = asyncio.create_task(agent.ask("place_call", to=NUMBER, waitSeconds=50))
        question = await asks(client)
        call = await client.desk.questions.answer(question, PAGE, agree=True)
        assert call
        error, answer = await placing
        assert (error, answer["id"], answer["placedBy"], answer["byMachine"]) == (False, call.id, "agent", True)
        error, answer = await agent.ask("place_call", to=NUMBER)
        assert (error, answer["id"]) == (False, call.id)
    assert len(vapi.bodies) == 1
    entries = await client.desk.timeline(call.id)
    assert {(entry.action, entry.who) for entry in entries} == {("machine-dial", "agent"), ("confirm-dial", "page")}


@pytest.mark.slow
async def test_a_call_that_was_confirmed_while_nobody_waited_is_found_by_asking_again(vapi: StandIn, client: Client) -> None:
    client.desk.questions.watch(lambda: True)
    made = await token(client, unasked=False)
    async with assistant(client.url, made) as agent:
        await agent.ask("place_call", to=NUMBER, idempotencyKey="k", waitSeconds=0)
        call = await client.desk.questions.answer(await asks(client), PAGE, agree=True)
        assert call
        client.desk.questions._questions.clear()  # as after minutes: the journal knows the key
        await client.desk.journal.change_state("dial-questions", lambda _: "")
        error, answer = await agent.ask("place_call", to=NUMBER, idempotencyKey="k", waitSeconds=0)
        assert (error, answer["id"]) == (False, call.id)
    assert len(vapi.bodies) == 1


@pytest.mark.slow
async def test_an_old_key_is_no_way_around_the_confirmation(vapi: StandIn, client: Client, tmp_path: Path) -> None:
    """It is forgotten only by the dial that it would let through, or within the hour by the journal's housekeeping."""
    client.desk.questions.watch(lambda: True)
    made = await token(client, unasked=False)
    async with assistant(client.url, made) as agent:
        await agent.ask("place_call", to=NUMBER, idempotencyKey="k", waitSeconds=0)
        assert await client.desk.questions.answer(await asks(client), PAGE, agree=True)
        await client.desk.journal.change_state("dial-questions", lambda _: "")
        client.desk.questions._questions.clear()
        url = f"sqlite:///{tmp_path / 'journal.sqlite'}"
        for age, code in ((timedelta(hours=24, seconds=-120), "idempotency_key_reused"), (timedelta(hours=24), None)):
            at = round((datetime.now(UTC) - age).timestamp() * 1000)
            await execute(url, f"UPDATE earshot_dials SET dialled_at = {at} WHERE key = 'k'")  # noqa: S608
            _, answer = await agent.ask("place_call", to="+12125550100", idempotencyKey="k", waitSeconds=0)
            assert (answer.get("code"), answer["status"]) == ((code, 422) if code else (None, "waiting_for_confirmation"))
    assert len(vapi.bodies) == 1


@pytest.mark.slow
async def test_a_refused_call_is_refused_for_the_assistant(vapi: StandIn, client: Client) -> None:
    client.desk.questions.watch(lambda: True)
    made = await token(client, unasked=False)
    async with assistant(client.url, made) as agent, asyncio.timeout(HANG_S):
        placing = asyncio.create_task(agent.ask("place_call", to=NUMBER, waitSeconds=50))
        await client.desk.questions.answer(await asks(client), PAGE, agree=False)
        error, answer = await placing
        assert (error, answer["code"]) == (True, "dial_refused")
        error, answer = await agent.ask("place_call", to=NUMBER)  # it does not ask again at once
        assert (error, answer["code"]) == (True, "dial_refused")
    assert not vapi.bodies


@pytest.mark.slow
@pytest.mark.parametrize("key", [None, "k"])
async def test_a_confirmed_dial_that_fails_is_not_dialled_again_by_the_assistant_that_waits(
    vapi: StandIn, client: Client, key: str | None
) -> None:
    """Whoever confirmed it was told that nothing was placed."""
    vapi.answer = (400, {"message": "No credit", "statusCode": 400})
    client.desk.questions.watch(lambda: True)
    made = await token(client, unasked=False)
    wanted = {"to": NUMBER, "idempotencyKey": key} if key else {"to": NUMBER}
    async with assistant(client.url, made) as agent, asyncio.timeout(HANG_S):
        placing = [asyncio.create_task(agent.ask("place_call", **wanted, waitSeconds=50)) for _ in range(2)]
        with pytest.raises(VapiRefused):
            await client.desk.questions.answer(await asks(client), PAGE, agree=True)
        vapi.answer = "created"
        for error, answer in [*await asyncio.gather(*placing), await agent.ask("place_call", **wanted)]:
            assert (error, answer["code"]) == (True, "confirmed_dial_failed")
            assert "No credit" in answer["detail"]
        assert len(vapi.bodies) == 1
        later = datetime.now(UTC) + 2 * dial_question.ANSWER_WITHIN
        client.desk.questions._now = lambda: later
        _, answer = await agent.ask("place_call", **wanted, waitSeconds=0)
        assert answer["status"] == "waiting_for_confirmation"  # somebody is asked anew
    assert len(vapi.bodies) == 1


@pytest.mark.slow
async def test_an_assistant_asks_again_while_its_confirmed_call_is_being_dialled(vapi: StandIn, client: Client) -> None:
    vapi.answer = "held, created"
    vapi.let_go.clear()
    client.desk.questions.watch(lambda: True)
    made = await token(client, unasked=False)
    async with assistant(client.url, made) as agent, asyncio.timeout(HANG_S):
        await agent.ask("place_call", to=NUMBER, waitSeconds=0)
        vapi.heard.clear()
        answering = asyncio.create_task(client.desk.questions.answer(await asks(client), PAGE, agree=True))
        await vapi.heard.wait()
        _, answer = await agent.ask("place_call", to=NUMBER, waitSeconds=0)
        assert "it is being dialled" in answer["detail"]
        answering.cancel()  # the page goes
        vapi.let_go.set()
        error, answer = await agent.ask("place_call", to=NUMBER, waitSeconds=50)
        assert (error, answer["to"]) == (False, NUMBER)
    assert len(vapi.bodies) == 1


@pytest.mark.slow
async def test_where_no_page_is_open_the_tool_says_so(vapi: StandIn, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial_questions, "_SHOWN_WITHIN_S", 0.05)
    made = await token(client, unasked=False)
    async with assistant(client.url, made) as agent:
        error, answer = await agent.ask("place_call", to=NUMBER)
        assert (error, answer["code"], answer["retryable"]) == (True, "nobody_to_confirm", True)
        error, answer = await agent.ask("place_call", to=NUMBER, dryRun=True)
        assert (error, answer["dryRun"]) == (False, True)
    assert not vapi.bodies


@pytest.mark.slow
async def test_nobody_is_asked_about_a_call_that_could_not_be_placed(client: Client) -> None:
    client.desk.questions.watch(lambda: True)
    made = await token(client, unasked=False)
    reader = await token(client, "mcp", "read", name="reader", unasked=False)
    async with assistant(client.url, made) as agent, assistant(client.url, reader) as other:
        error, answer = await agent.ask("place_call", to="+1900")
        assert error, answer
        error, answer = await other.ask("place_call", to=NUMBER)
        assert (error, answer["code"]) == (True, "forbidden_scope")
        await client.desk.switch.stop(PAGE.name)
        error, answer = await agent.ask("place_call", to=NUMBER)
        assert (error, answer["code"]) == (True, "stopped")
    assert not client.desk.questions.waiting()


@pytest.mark.slow
async def test_nobody_answers_in_time(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial_question, "ANSWER_WITHIN", timedelta(seconds=0.3))
    client.desk.questions.watch(lambda: True)
    made = await token(client, unasked=False)
    async with assistant(client.url, made) as agent:
        error, answer = await agent.ask("place_call", to=NUMBER, waitSeconds=50)
    assert (error, answer["code"]) == (True, "not_confirmed")


@pytest.mark.slow
async def test_rest_is_no_way_around_the_confirmation(vapi: StandIn, tmp_path: Path) -> None:
    tokens = f"{entry('bot', 'mcp+call', 'bot')},{entry('boss', '*', 'boss')}"
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), api_tokens=tokens) as client:
        made = await token(client, unasked=False)
        moved = {"earliestAt": rfc3339(datetime.now(UTC) + timedelta(days=1))}
        for known in (made, "bot"):
            for path, body in (("/api/vapi_call", {"to": NUMBER}), ("/api/calls/one/reschedule", moved)):
                status, problem, _ = await client.ask("POST", path, json=body, headers={"Authorization": f"Bearer {known}"})
                assert (status, problem["code"]) == (403, "confirmation_required")
        unasked = await token(client, name="trusted")
        client.desk.questions.watch(lambda: True)
        for known, number in ((unasked, NUMBER), ("boss", "+12125550100")):
            status, _, _ = await client.ask("POST", "/api/vapi_call", json={"to": number}, headers={"Authorization": f"Bearer {known}"})
            assert status == 201
        async with assistant(client.url, "boss") as boss:
            error, answer = await boss.ask("place_call", to="+12125550199", waitSeconds=0)
            assert (error, answer["status"]) == (False, "waiting_for_confirmation")
    assert len(vapi.bodies) == 2
