"""What the tests need around a relay: a listen socket whose every move the test makes, a call, and a web server, all on real sockets."""

import asyncio
import json
import socket
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any, Self

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from services.domain.call import Call, CallStatus, ListenTarget
from services.listening.listener import Listener
from services.listening.live_sound import LiveSound
from services.listening.relay import Relay
from services.listening.remote_relay import RemoteRelay
from services.listening.sound_thread import SoundThread
from services.support.worker_process import WorkerProcess
from services.web.server.sockets import Sockets
from services.web.server.sound_process import run_sound
from tests.patience import HANG_S

START = '{"type":"start","encoding":"linear16","container":"raw","sampleRate":16000,"channels":2}'


def placeless(frame: str | bytes) -> str | bytes:
    """A start frame without its place in the stream; any other frame as it is."""
    if isinstance(frame, bytes) or not frame.startswith('{"type":"start"'):
        return frame
    start = {key: value for key, value in json.loads(frame).items() if key not in ("stream", "position")}
    return json.dumps(start, separators=(",", ":"))


class StandIn:
    """Answers the next handshakes with `refusals` (status, headers), then accepts and hands each connection to the test."""

    def __init__(self) -> None:
        self.refusals: deque[tuple[int, dict[str, str]]] = deque()
        self.requests: list[Request] = []
        self.knocked = asyncio.Event()
        self._accepted: asyncio.Queue[ServerConnection] = asyncio.Queue()
        self._server: Server

    async def __aenter__(self) -> Self:
        self._server = await serve(self._hand_over, "127.0.0.1", 0, process_request=self._answer, compression=None, max_size=None)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/a-secret/listen"

    @property
    def open_connections(self) -> int:
        return len(self._server.connections)

    async def connection(self) -> ServerConnection:
        """The next connection that was accepted."""
        accepted: ServerConnection = await within(self._accepted.get())
        return accepted

    def forget(self) -> None:
        """Drops connections that nobody has asked for, such as an upstream's that did not know yet that its call had ended."""
        while not self._accepted.empty():
            self._accepted.get_nowait()

    async def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        self.knocked.set()
        if not self.refusals:
            return None
        status, headers = self.refusals.popleft()
        response = connection.respond(HTTPStatus(status), "no\n")
        response.headers.update(headers)
        return response

    async def _hand_over(self, connection: ServerConnection) -> None:
        self._accepted.put_nowait(connection)
        await connection.wait_closed()


class Line:
    """One call with its sound at `stand_in`, and a relay that hears of its changes: in the test's loop, in a `sound` thread, or in a
    process of its own, whose listeners are pinged every `ping_seconds`."""

    sound: SoundThread | None = None
    in_process = False

    def __init__(self, stand_in: StandIn, *, buffer_seconds: float = HANG_S, ping_seconds: float = 20.0) -> None:
        self.calls = {"c1": Call(id="c1", status=CallStatus.IN_PROGRESS)}
        self.headers: dict[str, str] = {}
        self.hints: asyncio.Queue[str] = asyncio.Queue()
        self.asked: list[str] = []
        self.faults: deque[Exception] = deque()
        self._stand_in = stand_in
        self.relay: LiveSound
        if self.in_process:
            config = uvicorn.Config(
                never,
                ws=Sockets,
                ws_per_message_deflate=False,
                ws_ping_interval=ping_seconds,
                ws_ping_timeout=ping_seconds,
                log_config=None,
            )
            worker = WorkerProcess(partial(run_sound, config=config, buffer_seconds=buffer_seconds))
            self.relay = RemoteRelay(worker, target=self._target, find=self.calls.get, hint=self.hints.put_nowait)
            return
        self.relay = Relay(
            target=self.sound.ask_main(self._target) if self.sound else self._target,
            find=self.calls.get,
            hint=self.sound.on_main(self.hints.put_nowait) if self.sound else self.hints.put_nowait,
            buffer_seconds=buffer_seconds,
            loop=self.sound.loop if self.sound else None,
        )

    def becomes(self, status: CallStatus, call_id: str = "c1") -> None:
        self.calls[call_id] = replace(self.calls[call_id], status=status)
        self.relay.on_call(self.calls[call_id])

    async def _target(self, call_id: str) -> ListenTarget:
        self.asked.append(call_id)
        if self.faults:
            raise self.faults.popleft()
        return ListenTarget(url=self._stand_in.url, headers=self.headers)


async def never(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError("no requests are made of the process for sound")


SOUND_IN = [pytest.param("one loop", marks=pytest.mark.slow), pytest.param("sound thread")]
"""Where a line's relay runs: in the test's own loop or, as in the app, in a process or, where that is not possible, a thread of its own.
The quick tests look at the thread alone."""
if sys.platform == "linux":
    SOUND_IN.append(pytest.param("sound process", marks=pytest.mark.process))


@asynccontextmanager
async def sound_in(where: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SoundThread | None]:
    """Has the lines that are made meanwhile run there. `where` is one of SOUND_IN."""
    if where == "sound process":
        monkeypatch.setattr(Line, "in_process", True)
        yield None
        return
    if where == "one loop":
        yield None
        return
    thread = SoundThread()
    monkeypatch.setattr(Line, "sound", thread)
    yield thread
    await thread.aclose()


async def within(awaitable: Any, seconds: float = HANG_S) -> Any:
    """The result of `awaitable`; a test that would hang fails instead."""
    async with asyncio.timeout(seconds):
        return await awaitable


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(HANG_S):
        while not true():  # noqa: ASYNC110 what is awaited here is a count, which tells nobody of its changes
            await asyncio.sleep(0.005)


async def hear(listener: Listener, count: int) -> list[Any]:
    """The next `count` things a listener hears: sound as bytes, text as the object it stands for."""
    heard = [await within(anext(listener)) for _ in range(count)]
    return [item if isinstance(item, bytes) else json.loads(item) for item in heard]


def pcm(first: int, blocks: int) -> bytes:
    """Two channels, left counting up from `first`, right counting down: a swapped or a torn block is seen at once."""
    return b"".join((n % 32768).to_bytes(2, "little") + (65535 - n % 32768).to_bytes(2, "little") for n in range(first, first + blocks))


def whole(sound: bytes) -> bool:
    """Whether every block of `sound` is one that `pcm` made."""
    assert len(sound) % 4 == 0
    words = memoryview(sound).cast("H")
    return all(left + right == 65535 for left, right in zip(words[::2], words[1::2], strict=True))


@asynccontextmanager
async def web_server(
    app: FastAPI, *, send_buffer: int | None = None, ping_seconds: float = 20.0
) -> AsyncIterator[tuple[str, uvicorn.Server]]:
    """`app` on a port of its own; `send_buffer` bytes of the kernel's, so that a stalled client is felt early."""
    listening = socket.create_server(("127.0.0.1", 0))
    if send_buffer:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    config = uvicorn.Config(
        app,
        ws=Sockets,
        ws_per_message_deflate=False,
        ws_ping_interval=ping_seconds,
        ws_ping_timeout=ping_seconds,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listening])
    try:
        yield f"ws://127.0.0.1:{listening.getsockname()[1]}", server
    finally:
        await server.shutdown(sockets=[listening])
