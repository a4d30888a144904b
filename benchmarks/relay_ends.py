"""The source and the clients around a relay under measurement. They are as cheap as possible, so that the relay is what is measured: one
core has to send 100 streams and receive them. WebSocket frames (RFC 6455) are parsed by hand; handshakes hold only what is needed.
"""

import asyncio
import base64
import hashlib
import struct
import time
from collections.abc import Callable
from typing import cast

FRAME_SECONDS = 0.02
SOUND = 1280  # bytes of sound in a frame
STAMP = struct.Struct("<qq")  # frame number, time sent in ns
START = b'{"type":"start","encoding":"linear16","container":"raw","sampleRate":16000,"channels":2}'

_HEAD = bytes([0x82, 126]) + SOUND.to_bytes(2, "big")
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Source(asyncio.Protocol):
    """Stands in for Vapi at `/<call>/<anything>`. Every call has its own clock; all clients of a call get the same frame."""

    def __init__(self, calls: dict[str, "SourceCall"], padding: bytes) -> None:
        self._calls = calls
        self._padding = padding
        self._call: SourceCall | None = None
        self._request = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._call:
            return  # pings and close frames; no client waits for an answer within a run
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
        if call not in self._calls:
            self._calls[call] = SourceCall(self._padding, phase=len(self._calls) * 0.37 * FRAME_SECONDS % FRAME_SECONDS)
        self._call = self._calls[call]
        self._call.clients.append(self._transport)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._call:
            self._call.clients.remove(self._transport)


class SourceCall:
    """One call: sends a frame every 20 ms from its first client on."""

    def __init__(self, padding: bytes, *, phase: float) -> None:
        self.clients: list[asyncio.Transport] = []
        self._padding = padding
        self._number = 0
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time() + phase
        self._next()

    def _next(self) -> None:
        self._loop.call_at(self._began + self._number * FRAME_SECONDS, self._beat)

    def _beat(self) -> None:
        frame = _HEAD + STAMP.pack(self._number, time.monotonic_ns()) + self._padding
        for transport in self.clients[:: 1 if self._number % 2 else -1]:  # alternate, so that neither way is always first
            transport.write(frame)
        self._number += 1
        self._next()


class Client(asyncio.Protocol):
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
