"""Slow clients: none holds a connection open by sending nothing, or a byte at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial

import pytest
from fastapi import FastAPI, Request, WebSocket

from services.web.json_body import JsonBody
from services.web.server import connections
from tests.patience import HANG_S
from tests.serving import serving

LONG_SINCE = 0.2  # seconds


@pytest.fixture
def limit_s() -> float:
    """How long a request may take to arrive. Tests of its size are parametrized with more: on a busy machine that takes as long as this."""
    return LONG_SINCE


@pytest.fixture
async def address(limit_s: float, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[str, int]]:
    monkeypatch.setattr(connections, "HEAD_TIMEOUT_S", limit_s)
    app = FastAPI()
    app.add_middleware(partial(JsonBody, timeout_s=limit_s))

    @app.post("/")
    async def slow_answer() -> str:
        await asyncio.sleep(3 * LONG_SINCE)
        return "done"

    @app.websocket("/socket")
    async def socket(socket: WebSocket) -> None:
        await socket.accept()
        await asyncio.sleep(3 * LONG_SINCE)
        await socket.send_text("still here")
        await socket.close()

    async with serving(app) as url:
        yield "127.0.0.1", int(url.rsplit(":", 1)[1])


async def heard(address: tuple[str, int], *said: bytes) -> bytes:
    """Everything that the server sends until it closes the connection."""
    reader, writer = await asyncio.open_connection(*address)
    for part in said:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.01)
    async with asyncio.timeout(HANG_S):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize("said", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-"])
async def test_an_unfinished_request_is_dropped(address: tuple[str, int], said: bytes) -> None:
    assert await heard(address, said) == b""


async def test_sending_a_byte_at_a_time_does_not_extend_the_deadline(address: tuple[str, int]) -> None:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"GET / HTTP/1.1\r\nX-Slow: ")

    async def go_on() -> None:
        while True:
            writer.write(b"a")
            await asyncio.sleep(LONG_SINCE / 10)

    going_on = asyncio.create_task(go_on())
    with suppress(ConnectionResetError):
        async with asyncio.timeout(HANG_S):
            assert await reader.read() == b""
    going_on.cancel()
    writer.close()
    with suppress(ConnectionResetError):
        await writer.wait_closed()


@pytest.mark.parametrize("limit_s", [HANG_S])
async def test_endless_headers_are_refused(address: tuple[str, int]) -> None:
    assert (await heard(address, b"GET / HTTP/1.1\r\n", *[b"X: " + b"a" * 20_000 + b"\r\n"] * 4)).startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize("limit_s", [HANG_S])
@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000,
        b"GET /?" + b"a" * 100_000 + b" HTTP/1.1",
        b"GET / HTTP/1.1" + b"\r\nX: a" * 20_000,
    ],
)
async def test_large_headers_in_one_write_are_refused(address: tuple[str, int], head: bytes) -> None:
    assert (await heard(address, head + b"\r\n\r\n")).startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize("limit_s", [HANG_S])
@pytest.mark.slow
async def test_headers_are_counted_anew_for_each_request(address: tuple[str, int]) -> None:
    request = HEAD.replace(b"Connection: close\r\n", b"") + b"X: " + b"a" * 40_000 + b"\r\nContent-Length: 2\r\n\r\n{}"
    answer = await heard(address, request, request, request.replace(b"Host", b"Connection: close\r\nHost"))
    assert answer.count(b"HTTP/1.1 200") == 3


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"


async def test_an_unfinished_body_is_answered_408(address: tuple[str, int]) -> None:
    answer = await heard(address, HEAD + b"Content-Length: 100\r\n\r\n", b'{"to"')
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"code":"body_too_slow"' in answer


async def test_a_client_waiting_for_an_answer_is_not_dropped(address: tuple[str, int]) -> None:
    assert (await heard(address, HEAD + b"Content-Length: 2\r\n\r\n{}")).startswith(b"HTTP/1.1 200")


async def test_a_socket_is_not_dropped(address: tuple[str, int]) -> None:
    handshake = (
        b"GET /socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection(*address)
    writer.write(handshake)
    async with asyncio.timeout(HANG_S):
        await reader.readuntil(b"still here")
    writer.close()
    await writer.wait_closed()


async def test_a_request_ends_with_its_connection_when_others_wait_behind_it(caplog: pytest.LogCaptureFixture) -> None:
    app, begun, ended = FastAPI(), asyncio.Event(), asyncio.Event()

    @app.get("/")
    async def answer(request: Request) -> str:
        begun.set()
        while (await request.receive())["type"] != "http.disconnect":
            pass
        ended.set()
        return "too late"

    async with serving(app) as url:
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        async with asyncio.timeout(HANG_S):
            await begun.wait()
            writer.transport.abort()
            await ended.wait()
    assert not caplog.records
