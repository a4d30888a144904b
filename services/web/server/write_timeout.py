"""Drops clients that stop reading: their connections would stay open for ever, with everything that waits to be sent."""

import asyncio
import socket
import struct
from collections.abc import Callable

WRITE_TIMEOUT_S = 30.0
"""Seconds in which a client has to accept MIN_BYTES, or all that waits for it."""

MIN_BYTES = 16 * 1024
"""A rate of 550 bytes a second. The slowest mobile networks carry ten times as much."""

_CHECKS = 6  # per timeout
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: drop what is unsent, else the system would go on offering it to the client


def drop(transport: asyncio.Transport) -> None:
    """Closes a connection at once, without what is still to be sent."""
    connected: socket.socket = transport.get_extra_info("socket")
    if connected.fileno() >= 0:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()


class WriteTimeout:
    """Watches one connection and aborts it once its client has accepted too little for WRITE_TIMEOUT_S.

    `transport.close()` is not enough: it waits until the client has read the rest. `paused` tells whether the connection's sender waits for
    the client. Only then, and while the connection is closing, nobody adds to the unsent bytes, and their number shows what was accepted.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, paused: Callable[[], bool]) -> None:
        self._loop = loop
        self._transport = transport
        self._paused = paused
        self._waiting = 0  # bytes, when the client last accepted enough
        self._since: float | None = None
        self._timer = loop.call_later(WRITE_TIMEOUT_S / _CHECKS, self._check)

    def cancel(self) -> None:
        """Ends the watch: the connection is closed, or another protocol took it over."""
        self._timer.cancel()

    def resumed(self) -> None:
        """The client has accepted what its connection's sender was waiting for."""
        self._since = None

    def _check(self) -> None:
        size = self._transport.get_write_buffer_size()
        now = self._loop.time()
        if not size or not (self._paused() or self._transport.is_closing()):
            self._since = None
        elif self._since is None or size <= self._waiting - MIN_BYTES:
            self._since, self._waiting = now, size
        elif now - self._since >= WRITE_TIMEOUT_S:
            drop(self._transport)
            return
        self._timer = self._loop.call_later(WRITE_TIMEOUT_S / _CHECKS, self._check)
