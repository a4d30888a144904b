"""The event loop of the sound thread, which shares Python's interpreter with a main thread that may be busy.

Python gives the interpreter up for each system call on a socket, even for one that returns at once, and asks a thread to give it up after
the switch interval. Each time, a busy main thread and the journal's take turns before sound continues. With 40 streams that was 5,000
times a second, and cost more than passing the sound on: so here a thread that has sound to pass on keeps the interpreter until it waits.
"""

import asyncio
import ctypes
import os
import selectors
import socket
import sys
from functools import cache
from typing import Any

SWITCH_INTERVAL_S = 0.0001
"""How long a busy thread may keep the interpreter while sound waits for it; Python's default is 5 ms. Beside a main loop that is always
busy, 40 streams had delays of p99 310 ms with the default, 460 ms with 1 ms, and 9 ms with 0.1 ms."""

_MOST_ROUNDS = 3  # without a look at the sockets: a frame is read, taken from its upstream and sent in as many
_LARGEST = 65536  # bytes read at once


class SoundLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop: uvloop acquires the interpreter once for each socket that has news, asyncio once for all of them."""

    def __init__(self) -> None:
        self._hurrying = _Selector()
        self._received = ctypes.create_string_buffer(_LARGEST)
        super().__init__(self._hurrying)

    def hurry(self, playing: bool) -> None:
        """Has other threads make way quickly whenever this one has waited: while there is sound.

        Without sound the default stays: the journal's thread and the main loop would take turns so often that a dial costs 1.4 times the
        CPU.
        """
        self._hurrying.playing = playing

    if sys.platform != "win32":

        def _make_socket_transport(self, sock: socket.socket, *args: Any, **more: Any) -> Any:
            return super()._make_socket_transport(_Socket(sock, self._received), *args, **more)  # type: ignore[misc]

        def _make_ssl_transport(self, rawsock: socket.socket, *args: Any, **more: Any) -> Any:
            return super()._make_ssl_transport(_Socket(rawsock, self._received), *args, **more)  # type: ignore[misc]


class _Selector(selectors.DefaultSelector):
    """Asks the system for news only when no callbacks are waiting to run, or after a few rounds of them."""

    def __init__(self) -> None:
        super().__init__()
        self.playing = False
        self._rounds = 0
        self._usual_interval_s = sys.getswitchinterval()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0 and self._rounds < _MOST_ROUNDS:
            self._rounds += 1
            return []
        self._rounds = 0
        if not self.playing:
            return super().select(timeout)
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        try:
            return super().select(timeout)
        finally:
            sys.setswitchinterval(self._usual_interval_s)


class _Socket:
    """What a transport uses of a non-blocking socket. Into `received` all sockets of a loop, which are used in one thread, receive."""

    _no_signal = getattr(socket, "MSG_NOSIGNAL", 0)

    def __init__(self, sock: socket.socket, received: ctypes.Array[ctypes.c_char]) -> None:
        self._sock = sock
        self._received = received

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def recv(self, most: int) -> bytes:
        size = _libc().recv(self._sock.fileno(), self._received, min(most, _LARGEST), 0)
        return ctypes.string_at(self._received, _checked(size))

    def send(self, data: bytes | bytearray | memoryview) -> int:
        whole = data if isinstance(data, bytes) else bytes(data)
        return _checked(_libc().send(self._sock.fileno(), whole, len(whole), self._no_signal))


@cache
def _libc() -> ctypes.PyDLL:
    """The system's own functions. Those of a `PyDLL` keep the interpreter, unlike those of a `CDLL`."""
    libc = ctypes.PyDLL(None, use_errno=True)
    libc.recv.argtypes = libc.send.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    libc.recv.restype = libc.send.restype = ctypes.c_ssize_t
    return libc


def _checked(size: int) -> int:
    if size < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))  # Python makes it a BlockingIOError, ConnectionResetError ...
    return size
