"""Serving an app on a real socket, in the test's own event loop: ours, or one that stands in for another server."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from aiohttp import web
from starlette.types import ASGIApp

from services.settings import Settings
from services.web.server.port import open_port, server_config


class PromptServer(uvicorn.Server):
    """Ends when `leave` is set. uvicorn itself looks every 0.1 s whether it shall, and then waits for another 0.1 s in any case."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.leave = asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.leave.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for _ in range(5):  # what is idle is closed within a few turns of the loop
            await asyncio.sleep(0)
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        for opened in sockets or []:
            opened.close()


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """The app's `http://127.0.0.1:PORT`, served as main.py serves it."""
    listening = open_port(Settings(host="127.0.0.1", port=0))
    config = server_config(app)
    config.lifespan, config.timeout_graceful_shutdown = "off", 1
    server = PromptServer(config)
    task = asyncio.create_task(server._serve([listening]))
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it in no other way
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.leave.set()
        await task


@asynccontextmanager
async def other_server(app: web.Application) -> AsyncIterator[str]:
    """The `http://127.0.0.1:PORT` of a server that is not ours."""
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await closed(runner)


async def closed(runner: web.AppRunner) -> None:
    """Ends a server, with connections too that it was just about to accept: the client may go on, the event loop may not."""
    server = runner.server
    assert server is not None
    opened = server.connections
    await runner.cleanup()
    for _ in range(3):  # what is being accepted takes so many turns of the loop
        await asyncio.sleep(0)
    for connection in (*opened, *server.connections):
        if connection.transport is not None:
            connection.transport.abort()
    await asyncio.sleep(0)
