"""uvicorn's WebSockets on the sans-I/O core of `websockets`: with one fix, a limit on how long a client may not read, and able to move
to the event loop of another thread or process."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from typing import Any, cast

from starlette.types import Scope
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.protocol import State
from websockets.streams import StreamReader

from services.web.server.open_connections import OPEN, Standing
from services.web.server.write_timeout import WriteTimeout, drop

_EXTENSION = "earshot.protocol"
_REFUSED = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class _Reader(StreamReader):
    """Keeps the bytes of a frame that is not complete, also those of its header, which is parsed already."""

    def __init__(self) -> None:
        super().__init__()
        self._of_frame = bytearray()

    def unread(self) -> bytes:
        return bytes(self._of_frame + self.buffer)

    def at_eof(self) -> Generator[None, None, bool]:
        self._of_frame.clear()  # the parser asks for it before each frame
        return (yield from super().at_eof())

    def read_exact(self, n: int) -> Generator[None, None, bytearray]:
        read = yield from super().read_exact(n)
        self._of_frame += read
        return read


class Sockets(WebSocketsSansIOProtocol):
    """Answers 400 to a handshake that can't be read, such as one with a request line over 8 KiB.

    uvicorn 0.54 handles only errors after the handshake: such a connection would stay open, and the server could not shut down.
    """

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.conn.reader = self._reader = _Reader()
        self.conn.parser = self.conn.parse()  # the other one waits at the other reader
        next(self.conn.parser)

    _writing: WriteTimeout | None = None
    moved_at = 0.0
    came_before = b""
    """What another process had received of this connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.moved_at = time.monotonic()
        OPEN.opened(self, transport.get_extra_info("socket"))
        self._writing = WriteTimeout(self.loop, cast(asyncio.Transport, transport), lambda: not self.writable.is_set())
        if self.came_before:
            self.data_received(self.came_before)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        OPEN.closed(self)
        if self._writing:
            self._writing.cancel()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.moved_at = time.monotonic()
        if self._writing:
            self._writing.resumed()

    def standing(self) -> Standing:
        if not self.writable.is_set():
            return Standing.UNREAD
        return Standing.STREAM if self.handshake_complete else Standing.ANSWERING

    def abort(self) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(drop, self.transport)

    def data_received(self, data: bytes) -> None:
        self.moved_at = time.monotonic()
        super().data_received(data)
        if not self.handshake_initiated and self.conn.handshake_exc is not None:
            self.handshake_complete = self.close_sent = True
            self.transport.write(_REFUSED)
            self.transport.close()

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["extensions"][_EXTENSION] = {"protocol": self}

    def shutdown(self) -> None:
        """Called by the server, on the main loop."""
        if self.loop is asyncio.get_running_loop():
            super().shutdown()
        else:
            self.loop.call_soon_threadsafe(super().shutdown)

    async def release(self) -> socket.socket:
        """Gives up the open connection and returns it as a socket. This protocol is over then. Raises WebSocketDisconnect."""
        self.stop_keepalive()
        self.transport.pause_reading()
        while self.transport.get_write_buffer_size() and not self.transport.is_closing():  # noqa: ASYNC110 - transports have no other way
            await asyncio.sleep(0.001)  # until the answer to the handshake is on its way
        if self.transport.is_closing():
            raise WebSocketDisconnect(1006)
        # Closing this transport closes only its own descriptor; the connection continues on the other.
        own = socket.socket(fileno=os.dup(self.transport.get_extra_info("socket").fileno()))
        own.setblocking(False)
        self.transport.abort()
        return own

    async def move_to(self, loop: asyncio.AbstractEventLoop) -> "Sockets":
        """Moves the open connection to a loop in another thread, where the returned protocol serves it. This one is over then."""
        own = await self.release()
        # The server's state is three attributes that a protocol has too.
        moved = Sockets(self.config, self, self.app_state, _loop=loop)
        moved._reader = self._reader
        moved.conn, moved.queue, moved.frames, moved.curr_msg_data_type = self.conn, self.queue, self.frames, self.curr_msg_data_type
        moved.request, moved.response, moved.scope = self.request, self.response, self.scope
        moved.handshake_initiated = moved.handshake_complete = True
        moved.read_paused = self.read_paused
        self.queue = asyncio.Queue()  # which gets the end of this transport

        async def adopt() -> None:
            await loop.connect_accepted_socket(lambda: moved, own)
            if moved.read_paused:
                moved.transport.pause_reading()
            moved.start_keepalive()

        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(adopt(), loop))
        return moved


async def move(accepted: WebSocket, loop: asyncio.AbstractEventLoop) -> WebSocket:
    """Moves an accepted WebSocket to the loop of another thread and returns the one to use there. Raises WebSocketDisconnect."""
    moved = await _protocol(accepted).move_to(loop)
    return _open_socket(accepted.scope, moved)


async def give_away(accepted: WebSocket) -> tuple[socket.socket, bytes]:
    """The connection of an accepted WebSocket, for `adopted` in another process, and what it has received of a frame that is not
    complete. Messages that nobody read are dropped. It must have no extensions, such as compression. Raises WebSocketDisconnect."""
    protocol = _protocol(accepted)
    own = await protocol.release()
    if protocol.conn.state is not State.OPEN:  # the client is closing it
        own.close()
        raise WebSocketDisconnect(1006)
    return own, protocol._reader.unread()


@asynccontextmanager
async def adopted(given: socket.socket, unread: bytes, config: Config, state: ServerState) -> AsyncIterator[WebSocket]:
    """The WebSocket of a connection that another process gave away, served on this loop. Closed at the end."""
    given.setblocking(False)
    loop = asyncio.get_running_loop()
    protocol = Sockets(config, state, {}, _loop=loop)
    protocol.handshake_initiated = protocol.handshake_complete = True
    protocol.conn.state = State.OPEN
    protocol.conn.parser = protocol.conn.parse()  # of frames, no longer of the handshake
    next(protocol.conn.parser)
    protocol.came_before = unread
    await loop.connect_accepted_socket(lambda: protocol, given)
    try:
        protocol.start_keepalive()
        yield _open_socket({"type": "websocket"}, protocol)
    finally:
        if protocol.close_timer is None:  # else the client is still to answer the closing
            protocol.transport.close()


def _protocol(accepted: WebSocket) -> Sockets:
    protocol: Sockets = accepted.scope["extensions"][_EXTENSION]["protocol"]
    return protocol


def _open_socket(scope: Scope, protocol: Sockets) -> WebSocket:
    there = WebSocket(scope, protocol.receive, protocol.send)  # type: ignore[arg-type]
    there.client_state = there.application_state = WebSocketState.CONNECTED
    return there
