"""The process for sound: the relay and its listeners' WebSockets, so that pages, exports and searches do not delay them."""

import asyncio
import gc
import socket
from collections.abc import Awaitable

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from services.listening.relay_host import RelayHost
from services.measures.measures import warm_up
from services.support.channel import Channel
from services.web.routes.listen_socket import serve_here
from services.web.server.port import server_config
from services.web.server.sockets import adopted


def run_sound(sock: socket.socket, *, config: uvicorn.Config | None = None, buffer_seconds: float = 10.0) -> None:
    """Works for the process at the other end of `sock` until that closes it. To be called in a process of its own.

    `config` is that of the WebSockets, `buffer_seconds` as for Relay.
    """
    gc.enable()
    warm_up()
    with asyncio.Runner(loop_factory=uvicorn.Config("").get_loop_factory()) as runner:
        runner.run(_run(sock, config or server_config(_no_app), buffer_seconds))


async def _run(sock: socket.socket, config: uvicorn.Config, buffer_seconds: float) -> None:
    state = ServerState()
    config.load()

    async def serve(
        host: RelayHost, descriptor: int, call_id: str, heartbeat: float, unread: bytes, closing: Awaitable[tuple[int, str]]
    ) -> None:
        async def closed() -> tuple[int, str]:
            return await closing

        async with adopted(socket.socket(fileno=descriptor), unread, config, state) as open_socket:
            await serve_here(host.relay, open_socket, call_id, closed, heartbeat)

    def stop() -> None:
        for connection in list(state.connections):
            connection.shutdown()

    host = RelayHost(serve=serve, stop=stop, buffer_seconds=buffer_seconds)
    await host.run(Channel(sock, received=host.received, ended=host.over.set))


async def _no_app(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise RuntimeError("no requests are made of the process for sound")
