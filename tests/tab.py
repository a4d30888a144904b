"""A tab as a browser opens it, without the drawing."""

import re
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import socketio


@asynccontextmanager
async def tab(url: str, news: Callable[[str, float], None] | None = None) -> AsyncIterator[aiohttp.ClientSession]:
    """Loads the page at `url` and connects its socket. `news` is given each message of the page, as text, with the time it came."""

    def hear(kind: str, *data: Any) -> None:
        if news and kind in ("update", "run_javascript"):  # elements, and rows of the list
            news(str(data), time.perf_counter())

    async with aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            client_id = re.search(r"['\"]client_id['\"]: ['\"]([0-9a-f-]{36})", await answer.text())
        assert client_id
        browser = socketio.AsyncClient(http_session=session, reconnection=False)
        browser.on("*", hear)
        await browser.connect(url, socketio_path="/_nicegui_ws/socket.io", transports=["websocket"])
        try:
            me = {"client_id": client_id[1], "tab_id": str(uuid.uuid4()), "document_id": str(uuid.uuid4()), "next_message_id": 0}
            assert await browser.call("handshake", me) is True
            yield session
        finally:
            await browser.disconnect()
