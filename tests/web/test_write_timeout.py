"""Clients that never read: their connections are dropped, and what they held is freed."""

import asyncio
import os
import select
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from services.web.server import write_timeout
from tests.patience import HANG_S
from tests.serving import serving
from tests.web.test_sockets import LINES

MUCH = 32 << 20  # bytes: more than the system stores for one connection
TIMEOUT_S = 1.0


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield bytes(64 * 1024)
        await asyncio.sleep(0)  # uvicorn takes what is sent to a closed connection without waiting


async def flood(socket: WebSocket) -> None:
    await socket.accept()
    with suppress(WebSocketDisconnect):
        while True:
            await socket.send_bytes(bytes(64 * 1024))


@pytest.fixture
async def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    monkeypatch.setattr(write_timeout, "WRITE_TIMEOUT_S", TIMEOUT_S)
    large = tmp_path / "large"
    large.touch()
    os.truncate(large, MUCH)

    async def file(_request: Request) -> Response:
        return FileResponse(large)

    async def body(_request: Request) -> Response:
        return Response(bytes(MUCH))

    async def stream(_request: Request) -> Response:
        return StreamingResponse(endless())

    async def health(_request: Request) -> Response:
        return Response("ok")

    routes = [Route("/file", file), Route("/body", body), Route("/stream", stream), Route("/health", health)]
    async with serving(Starlette(routes=[*routes, WebSocketRoute("/socket", flood)])) as address:
        yield address


def asked(url: str, request: str) -> socket.socket:
    """A client that has sent a request and has a small window for the answer."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", int(url.rsplit(":", 1)[1])))
    client.sendall(request.encode())
    return client


async def dropped(client: socket.socket) -> None:
    """Returns once the server has reset the connection. Reads nothing."""
    poll = select.poll()
    poll.register(client, 0)
    while not poll.poll(0):  # noqa: ASYNC110 - nothing else tells without reading
        await asyncio.sleep(0.05)


def descriptors() -> int:
    return len(os.listdir("/dev/fd"))


DEAF = {
    "a file": "GET /file HTTP/1.1\r\nHost: x\r\n\r\n",
    "a body in one piece": "GET /body HTTP/1.1\r\nHost: x\r\n\r\n",
    "a body of a connection that closes": "GET /body HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "a stream": "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n",
    "a WebSocket": f"GET /socket HTTP/1.1\r\n{LINES}\r\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("request_text", DEAF.values(), ids=DEAF.keys())
async def test_a_client_that_never_reads_is_dropped(url: str, request_text: str) -> None:
    before = descriptors()
    clients = [asked(url, request_text) for _ in range(5)]
    async with asyncio.timeout(HANG_S):
        for client in clients:
            await dropped(client)
    for client in clients:
        client.close()
    async with asyncio.timeout(HANG_S):
        while descriptors() > before:  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_an_occasional_byte_does_not_extend_the_deadline(url: str) -> None:
    client = asked(url, DEAF["a stream"])

    async def trickle() -> None:
        while True:
            with suppress(BlockingIOError, ConnectionResetError):
                client.recv(1, socket.MSG_DONTWAIT)
            await asyncio.sleep(TIMEOUT_S / 20)

    reading = asyncio.create_task(trickle())
    async with asyncio.timeout(HANG_S):
        await dropped(client)
    reading.cancel()
    client.close()


@pytest.mark.slow
@pytest.mark.parametrize("path", ["file", "body"])
async def test_a_slow_reader_gets_everything(url: str, path: str) -> None:
    """Takes several times longer than the timeout, while at no time less than MIN_BYTES a timeout is read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    writer.write(f"GET /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    received = 0
    async with asyncio.timeout(HANG_S):
        while data := await reader.read(256 * 1024):
            received += len(data)
            await asyncio.sleep(4 * TIMEOUT_S * len(data) / MUCH)
    writer.close()
    assert received > MUCH


async def test_others_are_answered_meanwhile(url: str) -> None:
    deaf = [asked(url, DEAF["a stream"]) for _ in range(20)]
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    async with asyncio.timeout(HANG_S):
        for _ in range(20):
            writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
            await reader.readuntil(b"ok")
    writer.close()
    await writer.wait_closed()
    for client in deaf:
        client.close()
