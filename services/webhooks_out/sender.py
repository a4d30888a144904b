"""Sends one request to an address that somebody typed. The address is checked where the socket is made, so that no name can resolve to
another one afterwards.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

import aiohttp
import httpx
from aiohttp.connector import Connection
from aiohttp.http_parser import RawResponseMessage

from services.webhooks_out.addresses import Addresses
from services.webhooks_out.names import Names

PATIENCE_S = 15.0
"""Within which a receiver has to answer, as Standard Webhooks recommends (15 to 30 s)."""

_RESOLVE_S = 5.0

_INTERIM = 8
"""Answers such as 102 Processing that may come before the real one."""

_READ_BYTES = 8192
"""Read from the socket at once. Only the head of an answer is needed; parsing more interim answers at a time would block the loop."""

Problem = Literal["no_answer", "unreachable", "private_address"]


class SendFailed(Exception):
    """Nothing was answered. `problem` says why; it never holds the address, which may be secret."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


class _Answer(aiohttp.ClientResponse):
    """aiohttp would read interim answers without end, and a receiver can send 100,000 of them in a second."""

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        if (protocol := connection.protocol) is None:
            raise aiohttp.ServerDisconnectedError
        read, left = protocol.read, iter(range(_INTERIM + 1))

        async def read_few() -> tuple[RawResponseMessage, aiohttp.StreamReader]:
            if next(left, None) is None:
                raise aiohttp.ClientPayloadError("too many interim answers")
            return await read()

        protocol.read = read_few  # type: ignore[method-assign]
        return await super().start(connection)


class Sender:
    """Posts without redirects, cookies and proxies, on a connection of its own for each request."""

    def __init__(self, addresses: Addresses, *, patience_s: float = PATIENCE_S) -> None:
        self._addresses = addresses
        self._patience_s = patience_s
        self._names = Names()
        self._certificates: ssl.SSLContext | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer, whose body is not read. Raises SendFailed."""
        encrypted = urlsplit(url).scheme == "https"
        refused = False

        def open_socket(found: tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]) -> socket.socket:
            nonlocal refused
            family, kind, protocol, _, address = found
            if not self._addresses.may_send(address[0], encrypted=encrypted):
                refused = True
                raise OSError("not an address that may be sent to")
            opened = socket.socket(family, kind, protocol)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _READ_BYTES)
            return opened

        if encrypted and self._certificates is None:
            self._certificates = await asyncio.to_thread(httpx.create_ssl_context)
        connector = aiohttp.TCPConnector(resolver=self._names, socket_factory=open_socket, ssl=self._certificates or True, force_close=True)
        try:
            async with (
                asyncio.timeout(self._patience_s),
                aiohttp.ClientSession(
                    connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, response_class=_Answer
                ) as session,
                session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                return answer.status
        except TimeoutError:
            raise SendFailed("no_answer") from None
        except (aiohttp.ClientError, OSError, ValueError):  # their texts may contain the address
            raise SendFailed("private_address" if refused else "unreachable") from None

    async def check(self, url: str) -> None:
        """Checks where a name leads now, for whoever typed it. Raises SendFailed."""
        parts = urlsplit(url)
        encrypted = parts.scheme == "https"
        try:
            async with asyncio.timeout(_RESOLVE_S):
                found = await self._names.resolve(parts.hostname or "")
        except (OSError, UnicodeError):
            raise SendFailed("unreachable") from None
        if not any(self._addresses.may_send(address["host"], encrypted=encrypted) for address in found):
            raise SendFailed("private_address")
