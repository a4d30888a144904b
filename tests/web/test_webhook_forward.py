"""Messages that Vapi wants answered: they reach the owner's server as they came, and its answer reaches Vapi."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from services.vapi import forwarding
from services.vapi.forwarding import Unanswered, WebhookForward
from services.vapi.gateway import Gateway
from tests.desk.test_desk import place, until
from tests.ports import free_port
from tests.serving import other_server, serving
from tests.stand_in import StandIn
from tests.web.test_api import Client, client_of

SECRET = {"X-Vapi-Secret": "s3cret", "Content-Type": "application/json"}
ROUTE = "/api/vapi_events"
RESULTS = {"results": [{"toolCallId": "one", "name": "slots", "result": "Thursday"}]}
TOOLS = json.dumps({"message": {"type": "tool-calls", "toolCallList": [{"id": "one"}], "odd": "\u00e9"}}, indent=3).encode()


class Owner:
    """The owner's server. `answer` makes each of its answers; what it received is in `bodies` and `headers`."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.answer: Callable[[web.Request], Awaitable[web.StreamResponse]] = self._results

    @staticmethod
    async def _results(_request: web.Request) -> web.StreamResponse:
        return web.json_response(RESULTS)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.read())
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        return await self.answer(request)


@pytest.fixture
async def owner() -> AsyncIterator[Owner]:
    server = Owner()
    app = web.Application()
    app.router.add_post("/vapi", server.receive)
    async with other_server(app) as url:
        server.url = f"{url}/vapi?key=private-part"
        yield server


@asynccontextmanager
async def forwarding_to(url: str, vapi: StandIn, folder: Path) -> AsyncIterator[tuple[Client, WebhookForward]]:
    forward = WebhookForward(url)
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with client_of(folder, gateway, forward=forward, webhook_secret="s3cret") as client:
        yield client, forward
    await forward.aclose()


async def send(client: Client, body: bytes = TOOLS, *, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    status, answer, _ = await client.ask("POST", ROUTE, data=body, headers=SECRET | (headers or {}))
    return status, answer


def message(kind: str, **more: Any) -> bytes:
    return json.dumps({"message": {"type": kind, **more}}).encode()


async def test_the_owner_s_server_gets_what_vapi_sent_and_vapi_its_answer(owner: Owner, vapi: StandIn, tmp_path: Path) -> None:
    async with forwarding_to(owner.url, vapi, tmp_path) as (client, _):
        status, answer = await send(client, headers={"X-Call-Id": "abc", "User-Agent": "Vapi", "Authorization": "Bearer their own"})
    assert (status, answer) == (200, RESULTS)
    assert owner.bodies == [TOOLS]
    sent = owner.headers[0]
    assert (sent["x-vapi-secret"], sent["x-call-id"], sent["user-agent"]) == ("s3cret", "abc", "Vapi")
    assert (sent["authorization"], sent["content-type"]) == ("Bearer their own", "application/json")
    assert sent["host"] in owner.url


async def test_a_tool_and_what_it_returned_are_a_line_of_the_transcript(owner: Owner, vapi: StandIn, tmp_path: Path) -> None:
    async def booked(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"results": [{"toolCallId": "t1", "result": "Booked."}, {"result": "lost"}, 7]})

    owner.answer = booked
    tool = {"id": "t1", "type": "function", "function": {"name": "book", "arguments": {"day": "Mon"}}}
    async with forwarding_to(owner.url, vapi, tmp_path) as (client, _):
        call = await place(client.desk)
        await send(client, message("tool-calls", toolCallList=[tool], call={"id": call.id}))
        [line] = client.desk.transcripts.of(call.id)
    assert (line.kind, line.name, line.text, line.result, line.final) == ("tool", "book", '{"day":"Mon"}', "Booked.", True)


async def test_status_and_type_of_the_answer_are_kept(owner: Owner, vapi: StandIn, tmp_path: Path) -> None:
    async def teapot(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=418, text='{"error": "no slots"}', content_type="application/vnd.owner+json")

    owner.answer = teapot
    async with (
        forwarding_to(owner.url, vapi, tmp_path) as (client, _),
        client.session.post(client.url + ROUTE, data=TOOLS, headers=SECRET) as answer,
    ):
        assert (answer.status, answer.content_type) == (418, "application/vnd.owner+json")
        assert await answer.text() == '{"error": "no slots"}'


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (b"200 OK", b"application/json", (200, "application/json")),
        (b"200 OK", b"text/\xff\xfe", (200, None)),
        (b"200 OK", "text/\u20ac".encode(), (200, None)),
        (b"200 OK", b"a\x01b", (200, None)),
        (b"999 Odd", b"application/json", (502, "application/problem+json")),
        (b"099 Odd", b"application/json", (502, "application/problem+json")),
        (b"101 Switching Protocols", b"application/json", (502, "application/problem+json")),
    ],
)
async def test_an_odd_answer_never_fails_here(
    vapi: StandIn, tmp_path: Path, status: bytes, kind: bytes, expected: tuple[int, str | None]
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Type: " + kind + b"\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with (
        server,
        forwarding_to(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", vapi, tmp_path) as (client, _),
        client.session.post(client.url + ROUTE, data=TOOLS, headers=SECRET) as answered,
    ):
        assert (answered.status, answered.headers.get("Content-Type")) == expected


@pytest.mark.parametrize("host", ["a..example", f"{'a' * 64}.example"])
async def test_a_name_that_cannot_be_resolved_is_told(vapi: StandIn, tmp_path: Path, host: str) -> None:
    async with forwarding_to(f"http://{host}/vapi", vapi, tmp_path) as (client, _):
        assert (await send(client))[1]["code"] == "webhook_forward_failed"


async def test_what_earshot_uses_itself_reaches_the_owner_s_server_too(owner: Owner, vapi: StandIn, tmp_path: Path) -> None:
    async with forwarding_to(owner.url, vapi, tmp_path) as (client, _):
        call = await place(client.desk)
        vapi.move(call.id, "in-progress")
        body = message("status-update", status="in-progress", call={"id": call.id})
        await send(client, body)
        assert owner.bodies == [body]
        assert (await until(client.desk, call.id, lambda call: call.answered)).running


async def test_a_refused_message_is_not_forwarded(owner: Owner, vapi: StandIn, tmp_path: Path) -> None:
    async with forwarding_to(owner.url, vapi, tmp_path) as (client, _):
        assert (await send(client, headers={"X-Vapi-Secret": "wrong"}))[0] == 401
        assert (await send(client, b"[]"))[0] == 422
    assert owner.bodies == []


@pytest.mark.slow
async def test_without_an_address_vapi_and_the_owner_are_told(vapi: StandIn, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with forwarding_to("", vapi, tmp_path) as (client, forward):
        for kind in sorted(forwarding.NEED_ANSWER):
            caplog.clear()
            with caplog.at_level(logging.WARNING):
                for _ in range(3):
                    status, problem = await send(client, message(kind))
            assert (status, problem["code"]) == (501, "webhook_not_forwarded"), kind
            assert "EARSHOT_WEBHOOK_FORWARD" in problem["detail"]
            assert forward.unanswered == Unanswered(kind=kind, host=None)
            assert await send(client, message("hang")) == (200, {})
            assert [record.name for record in caplog.records].count(forwarding.log.name) == 1, kind


async def test_without_an_address_other_messages_are_just_accepted(vapi: StandIn, tmp_path: Path) -> None:
    async with forwarding_to("", vapi, tmp_path) as (client, forward):
        for kind in ("", "x" * 5000, "assistant.speechStarted"):
            assert await send(client, message(kind)) == (200, {}), kind
            assert forward.unanswered is None


async def test_a_server_that_is_away_is_told_until_it_answers(
    owner: Owner, vapi: StandIn, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    changes: list[Unanswered | None] = []

    async def broken(request: web.Request) -> web.StreamResponse:
        assert request.transport
        request.transport.abort()
        return web.Response()

    works = owner.answer
    async with forwarding_to(owner.url, vapi, tmp_path) as (client, forward):
        forward.changed.subscribe(changes.append)
        owner.answer = broken
        status, problem = await send(client)
        assert (status, problem["code"], problem["retryable"]) == (502, "webhook_forward_failed", True)
        assert "private-part" not in str(problem) + caplog.text
        assert len(owner.bodies) == 1  # a tool must not run twice
        owner.answer = works
        assert await send(client) == (200, RESULTS)
    assert changes == [Unanswered(kind="tool-calls", host="127.0.0.1"), None]


async def test_nobody_listens_at_the_address(vapi: StandIn, tmp_path: Path) -> None:
    async with forwarding_to(f"http://127.0.0.1:{free_port()}", vapi, tmp_path) as (client, _):
        assert (await send(client))[1]["code"] == "webhook_forward_failed"


@pytest.mark.parametrize("kind", ["assistant-request", "tool-calls"])
async def test_vapi_is_answered_before_it_gives_up(
    owner: Owner, vapi: StandIn, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert forwarding._ASSISTANT_WAIT_S < 7.5
    assert forwarding._WAIT_S < 20
    monkeypatch.setattr(forwarding, "_ASSISTANT_WAIT_S", 0.1 if kind == "assistant-request" else 60)
    monkeypatch.setattr(forwarding, "_WAIT_S", 60 if kind == "assistant-request" else 0.1)
    never = asyncio.Event()

    async def hang(_request: web.Request) -> web.StreamResponse:
        await never.wait()
        return web.Response()

    owner.answer = hang
    async with forwarding_to(owner.url, vapi, tmp_path) as (client, _):
        status, problem = await send(client, message(kind))
        assert (status, problem["code"]) == (502, "webhook_forward_failed")
        assert "0.1 seconds" in problem["detail"]


async def test_an_endless_answer_is_not_passed_on(owner: Owner, vapi: StandIn, tmp_path: Path) -> None:
    async def endless(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * (forwarding.ANSWER_LIMIT + 1))

    owner.answer = endless
    async with forwarding_to(owner.url, vapi, tmp_path) as (client, _):
        assert (await send(client))[0] == 502


async def test_a_redirect_is_not_followed(owner: Owner, vapi: StandIn, tmp_path: Path) -> None:
    async def elsewhere(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": owner.url})

    owner.answer = elsewhere
    async with (
        forwarding_to(owner.url, vapi, tmp_path) as (client, _),
        client.session.post(client.url + ROUTE, data=TOOLS, headers=SECRET, allow_redirects=False) as answer,
    ):
        assert answer.status == 302
    assert len(owner.bodies) == 1


async def test_an_address_that_leads_back_here_does_not_go_round_for_ever(vapi: StandIn, tmp_path: Path) -> None:
    here: list[str] = []
    rounds = 0

    async def back(scope: Any, receive: Any, send: Any) -> None:
        """A proxy in front of Earshot, which passes everything on to it."""
        nonlocal rounds
        rounds += 1
        body = (await receive())["body"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"] if name not in (b"host", b"content-length")}
        async with aiohttp.ClientSession() as session, session.post(here[0] + ROUTE, data=body, headers=headers) as answer:
            found = await answer.read()
            passed = [(b"content-type", answer.content_type.encode())]
            await send({"type": "http.response.start", "status": answer.status, "headers": passed})
            await send({"type": "http.response.body", "body": found})

    async with serving(back) as proxy, forwarding_to(proxy, vapi, tmp_path) as (client, _):
        here.append(client.url)
        assert (await send(client))[0] == 501
    assert rounds == 1
