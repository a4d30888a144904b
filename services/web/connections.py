"""How connections are served: uvicorn's implementation of HTTP, with a limit to how slowly a request may begin."""

import asyncio

from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEAD_PATIENCE = 20.0
"""Seconds from the opening of a connection, or from a request's first byte, to the end of its headers."""


class Connections(AutoHTTPProtocol):  # type: ignore[misc,valid-type]
    """Closes connections on which no request comes to stand. uvicorn waits for ever, until strangers hold every socket there is."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
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
