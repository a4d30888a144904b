"""A WebSocket handshake that can't be read is refused, and the server still stops in order."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from tests.patience import HANG_S
from tests.serving import serving

LINES = "\r\n".join(
    [
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "",
    ]
)


async def greet(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET /socket HTTP/1.1", b"101"),
        (f"GET /socket?ticket={'x' * 9_999} HTTP/1.1", b"400"),
    ],
)
async def test_handshakes(request_line: str, status: bytes) -> None:
    async with asyncio.timeout(HANG_S), serving(Starlette(routes=[WebSocketRoute("/socket", greet)])) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
        writer.write(f"{request_line}\r\n{LINES}\r\n".encode())
        assert (await reader.readline()).split()[1] == status
        if status == b"400":
            assert b"Connection: close" in await reader.read()
        writer.close()
        await writer.wait_closed()
