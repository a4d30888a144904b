"""A process with few file descriptors is reached at any time, whoever holds connections open."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from services.web.server import open_connections
from services.web.server.open_connections import OpenConnections, Standing
from tests.patience import HANG_S
from tests.process import MAIN, Process, started

if sys.platform == "win32":
    pytest.skip("has no limit on descriptors", allow_module_level=True)


least_important = open_connections._least_important

LIMIT = 85  # the process needs 38 of them for itself, and leaves 32 free
DEAF_AT_ONCE = 60
PIECE = 12  # fewer than the system queues for it (`backlog`): one more would try again only after a second
HANDSHAKE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
LIMITED = f"""
import resource, runpy
resource.setrlimit(resource.RLIMIT_NOFILE, ({LIMIT}, {LIMIT}))
from services.web.server.open_connections import OPEN
OPEN._rarely = lambda: True  # says each time that connections are closed
runpy.run_path({MAIN!r}, run_name="__main__")
"""
CLOSING = "closing connections"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[Process]:
    """On the demo line, with a running call."""
    with started("-c", LIMITED, cwd=tmp_path) as process:
        await asyncio.to_thread(process.wait_until_served)
        yield process


async def placed(app: Process) -> dict[str, Any]:
    async with (
        aiohttp.ClientSession() as http,
        http.post(app.url + "/api/vapi_call", json={"to": "+14155552671", "allowDuplicate": True}) as answer,
    ):
        assert answer.status == 201
        return dict(await answer.json())


Asking = Callable[[dict[str, Any]], str]
DEAF: dict[str, Asking] = {
    "files": lambda _: "GET /_nicegui/3.18.0/static/quasar.umd.prod.js HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "pages": lambda _: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "event streams": lambda call: f"GET {call['links']['events']} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "listeners": lambda call: "GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n".format(
        call["listenUrl"].partition("/api")[2].join(["/api", ""]), HANDSHAKE
    ),
    "sockets of pages": lambda _: f"GET /_nicegui_ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n{HANDSHAKE}\r\n",
    "bodies that never end": lambda _: (
        "POST /api/vapi_call HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
    ),
    "headers that never end": lambda _: "GET / HTTP/1.1\r\nX: ",
    "nothing": lambda _: "",
}


@contextmanager
def deaf(app: Process, request: str) -> Iterator[Callable[[int], list[socket.socket]]]:
    """Opens so many connections more, which send a request and read nothing."""
    clients: list[socket.socket] = []

    def more(number: int) -> list[socket.socket]:
        for _ in range(number):
            client = socket.socket()
            clients.append(client)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", int(app.url.rsplit(":", 1)[1])))
            client.sendall(request.encode())
        return clients

    try:
        yield more
    finally:
        for client in clients:
            client.close()


async def health(app: Process) -> int | str:
    """The status of `/health`, asked on a connection of its own, and what is wrong if something is; 0 without an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(app.url.rsplit(":", 1)[1]))
    writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    async with asyncio.timeout(HANG_S):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    status = int(head.split()[1]) if head and json.loads(body) else 0
    return f"{status} {body.decode()}" if status > 200 else status


@pytest.mark.process
async def test_health_is_answered_while_deaf_connections_use_up_descriptors(app: Process) -> None:
    found = {}
    for kind, asking in DEAF.items():
        request = asking(await placed(app))
        if request.endswith("\r\n\r\n"):
            with deaf(app, request) as more:
                [one] = more(1)
                one.settimeout(HANG_S)
                assert await asyncio.to_thread(one.recv, 12) in (b"HTTP/1.1 200", b"HTTP/1.1 101"), kind
        closed = app.written().count(CLOSING)
        answers = []
        with deaf(app, request) as more:
            while len(more(PIECE)) < DEAF_AT_ONCE:
                answers.append(await health(app))
            for _ in range(2):
                answers.append(await health(app))
                with deaf(app, request) as others:
                    others(PIECE)
                    answers.append(await health(app))
        found[kind] = (set(answers), app.written().count(CLOSING) > closed)
    print(found, app.written())  # noqa: T201 - shown whole where the test failed
    assert found == dict.fromkeys(DEAF, ({200}, True))
    assert await asyncio.to_thread(app.stop) == 0
    assert "Too many open files" not in app.output


class Fake:
    """A connection that knows what it is and whether it was closed."""

    def __init__(self, standing: Standing, address: str, moved_at: float) -> None:
        self._standing = standing
        self.client: tuple[str, int] | None = (address, 1)
        self.moved_at = moved_at
        self.closed = False

    def standing(self) -> Standing:
        return self._standing

    def abort(self) -> None:
        self.closed = True


def test_unread_connections_go_first_then_those_of_the_busiest_address_and_the_longest_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_connections, "descriptor_limit", lambda: LIMIT)
    known = OpenConnections()
    connections = [
        Fake(Standing.UNREAD, "a", 9),
        Fake(Standing.IDLE, "b", 1),
        Fake(Standing.IDLE, "b", 2),
        Fake(Standing.IDLE, "a", 0),
        *(Fake(Standing.STREAM, "b", 20 - at) for at in range(10)),
        *(Fake(Standing.ANSWERING, "b", 0) for _ in range(10)),
    ]
    here, there = socket.socketpair()
    with here, there:
        for connection in connections:
            known.opened(connection, here)
        assert not any(connection.closed for connection in connections)
        monkeypatch.setattr(open_connections, "reserved", lambda _: LIMIT - here.fileno())
        newest = Fake(Standing.IDLE, "b", -1)
        monkeypatch.setattr(open_connections, "_least_important", lambda entries, _: least_important(entries, 6))
        known.opened(newest, here)
    closed = [connections.index(connection) for connection in connections if connection.closed]
    assert closed == [0, 1, 2, 3, 12, 13]
    assert not newest.closed
