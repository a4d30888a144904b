"""Messages between two processes of ours, in order, over a socket on one machine. A message may carry a file descriptor."""

import asyncio
import logging
import os
import pickle  # nosec B403
import socket
import struct
from array import array
from collections import deque
from collections.abc import Callable
from itertools import islice, takewhile
from typing import Any

log = logging.getLogger(__name__)

_HEAD = struct.Struct(">IQ")  # bytes of the message after it, and the inode of the descriptor that comes with it, or 0
_READ_AT_ONCE = 256 * 1024  # bytes
_SENT_AT_ONCE = 64  # messages
_MOST_DESCRIPTORS = 16  # in one read


class Channel:
    """One end. `received` is called with each message and its descriptor, `ended` once when the other end is gone.

    Both are called on the loop on which the channel was made, and all methods must be. Whoever receives a descriptor must close it.
    The other end must be a process of ours: messages are unpickled.
    """

    def __init__(self, sock: socket.socket, *, received: Callable[[tuple[Any, ...], int | None], None], ended: Callable[[], None]) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._received = received
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[bytes, int | None]] = deque()
        self._due = False
        self._came = bytearray()
        self._descriptors: deque[int] = deque()
        self._closed = False
        self.waiting_bytes = 0
        """Bytes that the system has not accepted yet because the other end does not read."""
        self._loop.add_reader(sock, self._read)

    def send(self, *message: Any, descriptor: int | None = None) -> None:
        """Sends a message, soon or as soon as the other end reads. Closes the descriptor here. Does nothing once the channel has ended."""
        if self._closed:
            return _close(descriptor)
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        inode = os.fstat(descriptor).st_ino if descriptor is not None else 0
        self._waiting.append((_HEAD.pack(len(data), inode) + data, descriptor))
        self.waiting_bytes += len(data) + _HEAD.size
        if not self._due:  # what is sent in one round of the loop goes out together
            self._due = True
            self._loop.call_soon(self._write)
        return None

    def close(self) -> None:
        """Sends what the system accepts at once, and drops the rest. May be called twice."""
        if self._closed:
            return
        self._write()
        self._drop()

    def _drop(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)
        self._sock.close()
        for descriptor in (*(one for _, one in self._waiting), *self._descriptors):
            _close(descriptor)
        self._waiting.clear()

    def _write(self) -> None:
        if self._closed:
            return None
        while self._waiting:
            first, descriptor = self._waiting[0]
            if descriptor is None:
                pieces = [data for data, _ in takewhile(lambda one: one[1] is None, islice(self._waiting, _SENT_AT_ONCE))]
                beside = []
            else:
                pieces, beside = [first], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [descriptor]))]
            try:
                sent = self._sock.sendmsg(pieces, beside)
            except BlockingIOError:
                break
            except OSError:
                return self._end()
            self._accepted(sent)
        self._due = bool(self._waiting)
        if self._waiting:
            self._loop.add_writer(self._sock, self._write)
        else:
            self._loop.remove_writer(self._sock)
        return None

    def _accepted(self, sent: int) -> None:
        """Removes this many accepted bytes; the descriptor went with the first of them."""
        self.waiting_bytes -= sent
        while sent:
            data, descriptor = self._waiting.popleft()
            _close(descriptor)
            if sent < len(data):
                self._waiting.appendleft((data[sent:], None))
            sent -= min(sent, len(data))

    def _read(self) -> None:
        try:
            data, beside, _, _ = self._sock.recvmsg(_READ_AT_ONCE, socket.CMSG_SPACE(_MOST_DESCRIPTORS * array("i").itemsize))
        except BlockingIOError:
            return None
        except OSError:
            data, beside = b"", []
        for level, kind, descriptors in beside:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                for descriptor in array("i", descriptors):
                    os.set_inheritable(descriptor, False)
                    self._descriptors.append(descriptor)
        if not data:
            return self._end()
        self._came += data
        at = 0
        while not self._closed and len(self._came) - at >= _HEAD.size:
            size, inode = _HEAD.unpack_from(self._came, at)
            end = at + _HEAD.size + size
            if len(self._came) < end:
                break
            message = pickle.loads(self._came[at + _HEAD.size : end])  # noqa: S301 - from a process of ours  # nosec B301
            at = end
            try:
                self._received(message, self._descriptor(inode))
            except Exception:
                log.exception("a message from another process of Earshot failed: %s", message[0])
        del self._came[:at]
        return None

    def _descriptor(self, inode: int) -> int | None:
        """The descriptor of the message that is read. None if it was lost because this process has no free ones: the next one in line,
        of another message, must not be mistaken for it."""
        if inode and self._descriptors and os.fstat(self._descriptors[0]).st_ino == inode:
            return self._descriptors.popleft()
        return None

    def _end(self) -> None:
        if not self._closed:
            self._drop()
            self._loop.call_soon(self._ended)


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)
