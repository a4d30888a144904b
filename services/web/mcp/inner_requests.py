"""Requests to our own REST API from inside this process: what MCP's tools do is what REST does, with its checks and its answers."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message, Scope

from services.domain.client import Client
from services.support.root_path import address

Answer = tuple[int, dict[str, Any]]
"""The HTTP status and the JSON of an answer."""

_KEPT = ("asgi", "http_version", "scheme", "server", "client", "root_path")


class InnerRequests:
    """`api` is the app of the REST API, behind authentication."""

    def __init__(self, api: ASGIApp) -> None:
        self._api = api

    async def ask(
        self,
        outer: Scope,
        client: Client,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Answer:
        """Asks for `client`, who sent the request `outer`. Addresses in the answer are for its host."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = [(name, value) for name, value in outer["headers"] if name == b"host"]
        if body is not None:
            headers += [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        if key is not None:
            quoted = key.replace("\\", "\\\\").replace('"', '\\"')
            headers.append((b"idempotency-key", f'"{quoted}"'.encode("latin-1", errors="replace")))
        given = {name: value for name, value in (query or {}).items() if value is not None}
        scope: Scope = {
            **{name: outer[name] for name in _KEPT if name in outer},
            "type": "http",
            "method": method,
            "path": address(path),
            "raw_path": None,
            "query_string": urlencode(given, doseq=True).encode(),
            "headers": headers,
            "state": {"client": client, "session": outer.get("state", {}).get("session", "")},
        }
        exchange = _Exchange(content)
        await self._api(scope, exchange.receive, exchange.send)
        return exchange.status, json.loads(bytes(exchange.answer))


class _Exchange:
    """One request and its answer."""

    def __init__(self, content: bytes) -> None:
        self.status = 0
        self.answer = bytearray()
        self._content: bytes | None = content

    async def receive(self) -> Message:
        if self._content is None:
            await asyncio.Event().wait()  # this client never disconnects
        content, self._content = self._content, None
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.answer += message.get("body", b"")
