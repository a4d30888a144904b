"""uvicorn's WebSockets on the sans-I/O core of `websockets`, with one fix, and a limit on the time that a client does not read."""

import asyncio
from typing import cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from services.web.server.write_timeout import WriteTimeout

_REFUSED = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Sockets(WebSocketsSansIOProtocol):
    """Answers 400 to a handshake that can't be read, such as one with a request line over 8 KiB.

    uvicorn 0.54 handles only errors after the handshake: such a connection would stay open, and the server could not shut down.
    """

    _writing: WriteTimeout | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._writing = WriteTimeout(self.loop, cast(asyncio.Transport, transport), lambda: not self.writable.is_set())

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._writing:
            self._writing.cancel()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._writing:
            self._writing.resumed()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.handshake_initiated and self.conn.handshake_exc is not None:
            self.handshake_complete = self.close_sent = True
            self.transport.write(_REFUSED)
            self.transport.close()
