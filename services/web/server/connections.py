"""uvicorn's HTTP connections with limits on the time and size of a request's headers, and on the time that a client does not read."""

import asyncio
import time

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from services.web.server.open_connections import OPEN, Standing
from services.web.server.write_timeout import WriteTimeout, drop

HEAD_TIMEOUT_S = 20.0
"""Seconds from the opening of a connection, or from a request's first byte, to the end of its headers."""

HEAD_LIMIT = 64 * 1024
"""Bytes of a request line and its headers."""

LINGER_S = 2.0
"""Seconds for which the body of a refused request is thrown away after the answer. Closed at once, the connection would be reset, and the
client, still sending, would never see the answer (RFC 9112, 9.6)."""

LINGER_LIMIT = 4 << 20
"""Bytes of it; larger than every body that is allowed."""

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Connections(AutoHTTPProtocol):  # type: ignore[misc,valid-type]
    """Closes connections whose request headers never become complete, or whose client does not read the answer.

    uvicorn waits for ever and stores all headers meanwhile, so that strangers could occupy every socket.
    """

    _deadline: asyncio.TimerHandle | None = None
    _linger: asyncio.TimerHandle | None = None
    _head = 0
    _fields = 0  # bytes of this request's line and headers, as far as they are parsed
    _answered: RequestResponseCycle | None = None
    _writing: WriteTimeout | None = None
    _thrown_away: int | None = None  # bytes, once the connection only waits for the client to stop sending
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
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            self.cycle.transport = _ClosesGently(self)
        OPEN.begins(self)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        OPEN.ends(self)
        if self.cycle.more_body and self.cycle.response_complete:
            self.close_gently()  # else the rest of the body would count as the next request's headers
        else:
            super().on_response_complete()

    def close_gently(self) -> None:
        """Closes the connection after what is still to be sent; one whose client is sending a body, once the client has stopped."""
        if not self.cycle.more_body or self.transport.is_closing():
            self.transport.close()
        elif self._thrown_away is None:
            self._thrown_away = 0
            self.transport.write_eof()
            self.flow.resume_reading()
            self._linger = self.loop.call_later(LINGER_S, self.transport.close)

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
        if self._thrown_away is not None:
            self._thrown_away += len(data)
            if self._thrown_away > LINGER_LIMIT:
                self.transport.close()
            return
        super().data_received(data)
        self._head = self._head + len(data) if self._awaits_head() else 0
        if self._head > HEAD_LIMIT and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered and self._answered is not self.cycle:
            # uvicorn says so only to the last request that arrived. This one waits in front of it, and would go on and fail to write.
            self._answered.disconnected = True
            self._answered.message_event.set()
        super().connection_lost(exc)
        OPEN.closed(self)
        if self._linger:
            self._linger.cancel()
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


class _ClosesGently:
    """The transport as uvicorn's answer to one request uses it: the answer closes it, perhaps before the request has come to its end."""

    def __init__(self, connection: Connections) -> None:
        self._connection = connection
        self.write = connection.transport.write
        self.is_closing = connection.transport.is_closing

    def close(self) -> None:
        self._connection.close_gently()
