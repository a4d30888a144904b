"""The frames of a WebSocket as a server sends them: not masked, not compressed."""

_BINARY, _CONTINUED = 2, 0


class Frames:
    """Give it what a server sends, from the answer to the handshake on."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._open = False
        self._binary = False

    def sound(self, data: bytes) -> bytes:
        """The payload of the binary messages whose frames `data` completes."""
        self._bytes += data
        if not self._open:
            _, end, rest = self._bytes.partition(b"\r\n\r\n")
            if not end:
                return b""
            self._open, self._bytes = True, rest
        payload = b""
        while frame := self._frame():
            kind, content = frame
            if kind != _CONTINUED:
                self._binary = kind == _BINARY
            if self._binary:
                payload += content
        return payload

    def _frame(self) -> tuple[int, bytes] | None:
        if len(self._bytes) < 2:
            return None
        kind, size = self._bytes[0] & 15, self._bytes[1] & 127
        begin = 2
        if size >= 126:
            begin += 2 if size == 126 else 8
            if len(self._bytes) < begin:
                return None
            size = int.from_bytes(self._bytes[2:begin])
        if len(self._bytes) < begin + size:
            return None
        content = bytes(self._bytes[begin : begin + size])
        del self._bytes[: begin + size]
        return kind, content
