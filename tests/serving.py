"""Serving an ASGI app on a real socket, in the test's own event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from services.web.server.connections import Connections
from services.web.server.sockets import Sockets


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """The app's `http://127.0.0.1:PORT`, served as main.py serves it."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            proxy_headers=False,
            http=Connections,
            ws=Sockets,
            timeout_graceful_shutdown=1,
        )
    )
    task = asyncio.create_task(server._serve([listening]))
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it in no other way
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
