"""Which hosts and origins a request may come from."""

import json
import logging
import re
from collections.abc import AsyncIterator

import aiohttp
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from services.settings import LOOPBACK_HOSTS
from services.support.log_lines import JsonLines
from services.web.access.gatekeeper import Gatekeeper
from tests.serving import serving

EVIL = "https://evil.example"


async def hello(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


@pytest.fixture
async def url() -> AsyncIterator[str]:
    app = Starlette(routes=[Route("/", hello, methods=["GET", "POST"]), WebSocketRoute("/socket", socket)])
    async with serving(Gatekeeper(app, allowed_hosts=LOOPBACK_HOSTS)) as address:
        yield address


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {}, 200),
        ("POST", {}, 200),
        ("GET", {"Host": "localhost:1234"}, 200),
        ("GET", {"Host": "[::1]:8080"}, 200),
        ("GET", {"Host": "evil.example"}, 400),
        ("GET", {"Host": "localhost.evil.example"}, 400),
        ("GET", {"Host": ""}, 400),
        ("GET", {"Host": "localhost:1@evil.example"}, 400),
        ("GET", {"Host": "evil.example@localhost"}, 400),
        ("GET", {"Host": "localhost:"}, 400),
        ("GET", {"Host": "localhost:99999"}, 400),
        ("GET", {"Host": "localhost:80:80"}, 400),
        ("GET", {"Host": "localhost/x"}, 400),
        ("GET", {"Host": "localhost."}, 400),
        ("GET", {"Host": "[::1]evil.example"}, 400),
        ("GET", {"Host": "[::1]:80@evil.example"}, 400),
        ("GET", {"Host": "[::1"}, 400),
        ("GET", {"Host": "LOCALHOST:65535"}, 200),
        ("POST", {"Origin": EVIL}, 403),
        ("POST", {"Origin": "null"}, 403),
        ("POST", {"Origin": ""}, 403),
        ("POST", {"Host": "localhost:80", "Origin": "http://localhost:80"}, 200),
        ("POST", {"Host": "localhost:80", "Origin": "http://localhost:81"}, 403),
        ("POST", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("POST", {"Sec-Fetch-Site": "same-site"}, 403),
        ("POST", {"Sec-Fetch-Site": "same-origin"}, 200),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403),
        ("POST", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403),
    ],
)
async def test_requests(url: str, method: str, headers: dict[str, str], status: int) -> None:
    async with aiohttp.ClientSession() as client, client.request(method, url, headers=headers) as answer:
        assert answer.status == status
        assert answer.headers["X-Request-Id"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Resource-Policy"] == answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert re.search("script-src 'self' 'nonce-[A-Za-z0-9_-]{22}' 'unsafe-eval';", policy)
        if status >= 400:
            assert answer.content_type == "application/problem+json"
            assert (await answer.json())["code"] == ("host_not_allowed" if status == 400 else "cross_origin")


async def test_each_answer_has_a_nonce_of_its_own(url: str) -> None:
    seen = set()
    async with aiohttp.ClientSession() as client:
        for _ in range(20):
            async with client.get(url) as answer:
                seen.add(answer.headers["Content-Security-Policy"])
    assert len(seen) == 20


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 101), ({"Host": "evil.example"}, 400), ({"Origin": EVIL}, 403), ({"Host": "evil.example", "Origin": "http://evil.example"}, 400)],
)
async def test_sockets(url: str, headers: dict[str, str], status: int) -> None:
    async with aiohttp.ClientSession() as client:
        if status == 101:
            async with client.ws_connect(url + "/socket", headers=headers) as websocket:
                assert websocket.close_code is None
            return
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(url + "/socket", headers=headers)
        assert refused.value.status == status


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/assets/a.js", {"Origin": EVIL}, 200),
        ("GET", "/_nicegui/a.js", {"Origin": EVIL}, 200),
        ("GET", "/assets/a.js", {"Origin": EVIL, "Host": "evil.example"}, 400),
        ("HEAD", "/assets/a.js", {"Origin": EVIL}, 403),
        ("POST", "/_nicegui/a.js", {"Origin": EVIL}, 403),
        ("GET", "/_nicegui/socket", {"Origin": EVIL, "Connection": "Upgrade", "Upgrade": "websocket"}, 403),
        ("GET", "/_nicegui_ws/socket.io/", {"Origin": EVIL}, 403),
        ("GET", "/assets", {"Origin": EVIL}, 403),
        ("GET", "/ASSETS/a.js", {"Origin": EVIL}, 403),
        ("GET", "//assets/a.js", {"Origin": EVIL}, 403),
        ("GET", "/api/assets/a.js", {"Origin": EVIL}, 403),
    ],
)
async def test_another_website_gets_no_more_than_public_files(method: str, path: str, headers: dict[str, str], status: int) -> None:
    async def anything(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await PlainTextResponse("anything")(scope, receive, send)

    websocket = {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version": "13"} if "Upgrade" in headers else {}
    async with (
        serving(Gatekeeper(anything, allowed_hosts=LOOPBACK_HOSTS)) as url,
        aiohttp.ClientSession() as client,
        client.request(method, url + path, headers={**headers, **websocket}) as answer,
    ):
        assert answer.status == status
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_what_a_request_logs_has_its_id_and_its_call(caplog: pytest.LogCaptureFixture) -> None:
    lines: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        lines.append(JsonLines().format(logging.makeLogRecord({"msg": "x"})))
        await PlainTextResponse("")(scope, receive, send)

    checked = Gatekeeper(app, allowed_hosts={"earshot"})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(checked), base_url="http://earshot") as client:
        answers = [await client.get(path) for path in ("/api/calls/019f-1/events", "/api/calls")]
    first, second = map(json.loads, lines)
    assert (first["request"], first["call"]) == (answers[0].headers["x-request-id"], "019f-1")
    assert second["request"] == answers[1].headers["x-request-id"]
    assert "call" not in second
