"""How connections are served: uvicorn's implementation of HTTP, with limits to how slowly and how wordily a request may begin."""

import asyncio

from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEAD_PATIENCE = 20.0
"""Seconds from the opening of a connection, or from a request's first byte, to the end of its headers."""

HEAD_LIMIT = 64 * 1024
"""Bytes of a request line and its headers."""

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Connections(AutoHTTPProtocol):  # type: ignore[misc,valid-type]
    """Closes connections on which no request comes to stand.

    uvicorn waits for ever, until strangers hold every socket there is, and keeps all headers that come meanwhile.
    """

    _deadline: asyncio.TimerHandle | None = None
    _head = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._head = self._head + len(data) if self._awaits_head() else 0
        if self._head > HEAD_LIMIT and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget()

    def _watch(self) -> None:
        if not self._awaits_head():
            self._forget()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_PATIENCE, self._give_up)

    def _awaits_head(self) -> bool:
        """Whether no request is being answered, and no WebSocket has taken the connection over."""
        return (self.cycle is None or self.cycle.response_complete) and self.transport.get_protocol() is self

    def _give_up(self) -> None:
        self._deadline = None
        if self._awaits_head():
            self.transport.close()

    def _forget(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None
