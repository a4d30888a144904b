"""A network between a browser and a server, which can fail."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class Line:
    """A network between a browser and a server: what is sent can be held up, and all connections can be cut."""

    def __init__(self, target: str) -> None:
        self._target = ("127.0.0.1", int(target.rpartition(":")[2]))
        self._flowing = threading.Event()
        self._flowing.set()
        self._down = False
        self._sockets: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._start(self._accept)

    def hold(self) -> None:
        """Nothing gets from the browser to the server until `release`."""
        self._flowing.clear()

    def release(self) -> None:
        self._flowing.set()

    def cut(self) -> None:
        """Ends every connection, and those to come, until `mend`."""
        self._down = True
        for each in list(self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._down = False

    def close(self) -> None:
        self.release()
        self.cut()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                browser, _ = self._listening.accept()
            except OSError:
                return
            if self._down:
                browser.close()
                continue
            server = socket.create_connection(self._target)
            self._sockets |= {browser, server}
            self._start(self._carry, browser, server, True)
            self._start(self._carry, server, browser, False)

    def _carry(self, source: socket.socket, sink: socket.socket, may_be_held: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if may_be_held:
                    self._flowing.wait()
                sink.sendall(data)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._sockets.discard(source)
        source.close()

    def _start(self, work: Callable[..., None], *arguments: Any) -> None:
        threading.Thread(target=work, args=arguments, daemon=True).start()
