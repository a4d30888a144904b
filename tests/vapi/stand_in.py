"""A fake Vapi on a real socket. It sends the responses that a test sets, faults included, and records all requests."""

import asyncio
import json
import socket
import struct
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as received: `target` is the path and query, undecoded; header names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class StandIn:
    """`on` sets the replies to a method and path in order; the last one repeats. Everything else is 404."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self._replies: dict[tuple[str, str], list[Reply]] = defaultdict(list)
        self._tasks: set[asyncio.Task[None]] = set()

    def on(self, method: str, path: str, *replies: Reply) -> None:
        self._replies[method, path] = list(replies)

    def asked(self, method: str, path: str | None = None) -> list[Request]:
        return [r for r in self.requests if r.method == method and path in (None, r.target.partition("?")[0])]

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def all_let_go(self) -> bool:
        """True if the client soon closes every connection by itself."""
        return not self._tasks or not (await asyncio.wait(self._tasks, timeout=5))[1]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            while not writer.is_closing():
                request = await _read(reader)
                self.requests.append(request)
                replies = self._replies[request.method, request.target.partition("?")[0]] or [reply(404, {"message": "Not Found"})]
                await (replies.pop(0) if len(replies) > 1 else replies[0])(writer)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
            pass  # the other side went away, or does not speak HTTP
        except asyncio.CancelledError:
            pass  # the test is over; StreamReaderProtocol would report a cancelled handler as an error
        finally:
            writer.transport.abort()
            self._tasks.discard(task)


async def _read(reader: asyncio.StreamReader) -> Request:
    initial = await reader.readexactly(1)
    if not initial.isalpha():
        raise ValueError("not HTTP: a TLS greeting, for instance")
    head = (initial + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(method, target, headers, await reader.readexactly(int(headers.get("content-length", 0))))


def reply(status: int, body: Any = None, *, headers: dict[str, str] | None = None, close: bool = False) -> Reply:
    """A complete response: bytes are sent unchanged, anything else as JSON. With `close` the connection closes afterwards."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def play(writer: asyncio.StreamWriter) -> None:
        lines = {"Content-Type": "application/json", "Content-Length": str(len(content)), **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        writer.write(f"HTTP/1.1 {status} Status\r\n{head}\r\n".encode() + content)
        await writer.drain()
        if close:
            writer.close()

    return play


async def drop(writer: asyncio.StreamWriter) -> None:
    """Reads the request and closes the connection without a response."""
    writer.close()


async def reset(writer: asyncio.StreamWriter) -> None:
    """Like `drop`, with a TCP reset."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def hang(writer: asyncio.StreamWriter) -> None:
    """Never answers."""
    await asyncio.Event().wait()


async def cut_short(writer: asyncio.StreamWriter) -> None:
    """Announces a body and closes the connection in the middle of it."""
    writer.write(b'HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"id": "call-1"')
    await writer.drain()
    writer.close()


async def trickle(writer: asyncio.StreamWriter) -> None:
    """A body that never ends and never pauses long enough for a read timeout."""
    writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def not_http(writer: asyncio.StreamWriter) -> None:
    """Responds in another protocol."""
    writer.write(b"220 mail.example ESMTP\r\n")
    await writer.drain()
    writer.close()
