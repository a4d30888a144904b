"""`/mcp`: who may use it, and the start of its server once somebody does."""

import asyncio
import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from services.desk.desk import CallDesk
from services.domain.client import LOCAL, PAGE, Client
from services.domain.client import Scope as Permission
from services.support.tasks import Tasks
from services.web.mcp.inner_requests import InnerRequests
from services.web.problems import problem

ROUTE = "/mcp"

_SERVER = "services.web.mcp.server"


class McpRoute:
    """404 as long as no token has the scope `mcp`. `configured`: one of EARSHOT_API_TOKENS has it.

    `api` is the app of the REST API, which the tools ask.
    """

    def __init__(self, desk: CallDesk, api: ASGIApp, *, configured: bool, version: str) -> None:
        self._desk = desk
        self._rest = InnerRequests(api)
        self._configured = configured
        self._version = version
        self._starting: asyncio.Task[ASGIApp] | None = None
        self._tasks = Tasks()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if refusal := self._refusal(scope):
            return await refusal(scope, receive, send)
        client: Client = scope["state"]["client"]
        asked = {**scope, "state": {**scope["state"], "client": replace(client, machine=True)}}
        await (await self._server())(asked, receive, send)
        return None

    async def aclose(self) -> None:
        await self._tasks.aclose()

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        if not (self._configured or self._desk.tokens.any_may(Permission.MCP)):
            return problem(404, "not_found", "MCP is off: no token has the scope `mcp`. Make one in the settings of the page.")
        client = scope.get("state", {}).get("client")
        # A logged-in browser sends its cookie for any page that asks. An assistant needs a token.
        if not isinstance(client, Client) or client.person or client.name in (PAGE.name, LOCAL.name) or Permission.MCP not in client.scopes:
            return problem(403, "forbidden_scope", "MCP needs a token with the scope `mcp`.", title="Not allowed")
        if scope["method"] != "POST":  # without sessions there is nothing to subscribe to, and none to end
            return problem(405, "method_not_allowed", "MCP is asked with POST.", headers={"Allow": "POST"})
        return None

    async def _server(self) -> ASGIApp:
        if self._starting is None or (self._starting.done() and self._starting.exception()):
            self._starting = self._tasks.start(self._start(), name="start MCP")
        return await asyncio.shield(self._starting)

    async def _start(self) -> ASGIApp:
        # In a thread, since the import takes about a second, in which calls must be heard.
        module = await asyncio.to_thread(importlib.import_module, _SERVER)
        server = module.mcp_server(self._desk, self._rest, self._version)
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks.start(_run(server, ready.set_result), name="run MCP")
        await ready
        handle: ASGIApp = server.handle_request
        return handle


async def _run(server: Any, ready: Callable[[None], None]) -> None:
    async with server.run():
        ready(None)
        await asyncio.Event().wait()
