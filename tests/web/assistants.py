"""An assistant on another machine: the official MCP client, over a real socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp.client.client import Client as McpClient

Answer = tuple[bool, dict[str, Any]]


class Assistant:
    """What a tool answers is whether it is an error, and its JSON."""

    def __init__(self, client: "McpClient") -> None:
        self.client = client

    async def tools(self) -> list[str]:
        return [tool.name for tool in (await self.client.list_tools()).tools]

    async def ask(self, tool: str, **arguments: Any) -> Answer:
        result = await self.client.call_tool(tool, arguments)
        assert isinstance(result.structured_content, dict)
        return result.is_error, result.structured_content


@asynccontextmanager
async def assistant(url: str, token: str, mode: str = "auto") -> AsyncIterator[Assistant]:
    """Connected to `/mcp` below `url`. `mode` is "legacy" for the protocol before 2026."""
    import httpx2  # here: these take 8 % of the time in which all tests are collected
    from mcp.client.client import Client as McpClient
    from mcp.client.streamable_http import streamable_http_client

    async with (
        # Without TLS it needs no certificates; reading them takes 27 ms.
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60, verify=False) as http,
        McpClient(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield Assistant(client)
