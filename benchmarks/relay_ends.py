"""The two ends of a relay under measurement, as cheap as they can be, lest they are what is measured: one core has to feed 100 streams
and to hear them. WebSocket frames (RFC 6455) are cut by hand; handshakes are as short as servers and clients here take them.
"""

import asyncio
import base64
import hashlib
import struct
import time
from collections.abc import Callable
from typing import cast

FRAME_SECONDS = 0.02
SOUND = 1280  # bytes of a frame
STAMP = struct.Struct("<qq")  # number, nanoseconds
START = b'{"type":"start","encoding":"linear16","container":"raw","sampleRate":16000,"channels":2}'

_HEAD = bytes([0x82, 126]) + SOUND.to_bytes(2, "big")
_ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Source(asyncio.Protocol):
    """The stand-in of Vapi: `/<call>/<anything>`. Every call has a beat of its own, and all who hear it get the same frame."""

    def __init__(self, rooms: dict[str, "Room"], padding: bytes) -> None:
        self._rooms = rooms
        self._padding = padding
        self._room: Room | None = None
        self._request = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._room:
            return  # pings and closes of clients; nobody waits for an answer as long as a run takes
        self._request += data
        if not self._request.endswith(b"\r\n\r\n"):
            return
        lines = self._request.split(b"\r\n")
        key = next(line.split(b":")[1].strip() for line in lines if line.lower().startswith(b"sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
            + accept
            + b"\r\n\r\n"
        )
        self._transport.write(bytes([0x81, len(START)]) + START)
        call = lines[0].split(b"/")[1].decode()
        if call not in self._rooms:
            self._rooms[call] = Room(self._padding, phase=len(self._rooms) * 0.37 * FRAME_SECONDS % FRAME_SECONDS)
        self._room = self._rooms[call]
        self._room.here.append(self._transport)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._room:
            self._room.here.remove(self._transport)


class Room:
    """One call, a frame each 20 ms from its first listener on."""

    def __init__(self, padding: bytes, *, phase: float) -> None:
        self.here: list[asyncio.Transport] = []
        self._padding = padding
        self._number = 0
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time() + phase
        self._next()

    def _next(self) -> None:
        self._loop.call_at(self._began + self._number * FRAME_SECONDS, self._beat)

    def _beat(self) -> None:
        frame = _HEAD + STAMP.pack(self._number, time.monotonic_ns()) + self._padding
        for transport in self.here[:: 1 if self._number % 2 else -1]:  # neither way may always be the first
            transport.write(frame)
        self._number += 1
        self._next()


class Ear(asyncio.Protocol):
    """A client that opens `path` and calls `heard(number, sent ns, arrived ns)` for each frame of sound."""

    def __init__(self, path: str, heard: Callable[[int, int, int], None]) -> None:
        self._path = path
        self._heard = heard
        self._data = bytearray()
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(
            f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self._data += data
        if not self._open:
            head, end, rest = self._data.partition(b"\r\n\r\n")
            if not end:
                return
            assert b" 101 " in head, head
            self._data, self._open = rest, True
        while len(self._data) >= 2:
            size, begin = self._data[1] & 0x7F, 2
            if size == 126:
                if len(self._data) < 4:
                    return
                size, begin = int.from_bytes(self._data[2:4], "big"), 4
            if len(self._data) < begin + size:
                return
            if self._data[0] & 0x0F == 2:
                number, sent = STAMP.unpack_from(self._data, begin)
                self._heard(number, sent, now)
            del self._data[: begin + size]
