"""uvicorn's HTTP connections with limits on the time and size of a request's headers, and on the time that a client does not read."""

import asyncio
import time

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from services.web.server.open_connections import OPEN, Standing
from services.web.server.write_timeout import WriteTimeout, drop

HEAD_TIMEOUT_S = 20.0
"""Seconds from the opening of a connection, or from a request's first byte, to the end of its headers."""

HEAD_LIMIT = 64 * 1024
"""Bytes of a request line and its headers."""

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Connections(AutoHTTPProtocol):  # type: ignore[misc,valid-type]
    """Closes connections whose request headers never become complete, or whose client does not read the answer.

    uvicorn waits for ever and stores all headers meanwhile, so that strangers could occupy every socket.
    """

    _deadline: asyncio.TimerHandle | None = None
    _head = 0
    _fields = 0  # bytes of this request's line and headers, as far as they are parsed
    _writing: WriteTimeout | None = None
    moved_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.moved_at = time.monotonic()
        OPEN.opened(self, transport.get_extra_info("socket"))
        self._writing = WriteTimeout(self.loop, transport, lambda: self.flow.write_paused)
        self._watch()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._fields = 0

    def on_url(self, url: bytes) -> None:
        self._count_field(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_field(name + value)
        super().on_header(name, value)

    def _count_field(self, field: bytes) -> None:
        """Limits headers that arrive complete, in one piece: the parser has begun the request before `data_received` counts anything."""
        self._fields += len(field) + 4
        if self._fields > HEAD_LIMIT:
            raise ValueError("the headers are too large")

    def send_400_response(self, msg: str) -> None:
        """Called if a request can't be parsed, also because of a ValueError of ours."""
        if self._fields > HEAD_LIMIT:
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        else:
            super().send_400_response(msg)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        OPEN.begins(self)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        OPEN.ends(self)

    def standing(self) -> Standing:
        if self.transport.get_write_buffer_size():
            return Standing.UNREAD
        if self._awaits_head() or self.cycle is None or (self.cycle.more_body and not self.cycle.response_started):
            return Standing.IDLE
        return Standing.STREAM if self.cycle.response_started else Standing.ANSWERING

    def abort(self) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(drop, self.transport)

    def data_received(self, data: bytes) -> None:
        self.moved_at = time.monotonic()
        super().data_received(data)
        self._head = self._head + len(data) if self._awaits_head() else 0
        if self._head > HEAD_LIMIT and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        OPEN.closed(self)
        self._cancel_deadline()
        self._end_write_timeout()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.moved_at = time.monotonic()
        if self._writing:
            self._writing.resumed()

    def handle_websocket_upgrade(self) -> None:
        self._end_write_timeout()
        OPEN.closed(self)
        super().handle_websocket_upgrade()

    def _end_write_timeout(self) -> None:
        if self._writing:
            self._writing.cancel()

    def _watch(self) -> None:
        if not self._awaits_head():
            self._cancel_deadline()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_TIMEOUT_S, self._close_if_waiting)

    def _awaits_head(self) -> bool:
        """True if no request is being answered and the connection is no WebSocket."""
        return (self.cycle is None or self.cycle.response_complete) and self.transport.get_protocol() is self

    def _close_if_waiting(self) -> None:
        self._deadline = None
        if self._awaits_head():
            self.transport.close()

    def _cancel_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None
