"""A network between a browser and Earshot: it counts what a listener was sent, and it can hold, delay, drop and cut."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import accumulate
from typing import Any

from tests.browser.everywhere.frames import Frames
from tests.browser.everywhere.sound_server import RATE
from tests.browser.everywhere.spoken import call
from tests.patience import HANG_S

_LISTEN = b"/listen?"
_SAMPLE_BYTES = 4


class Listening:
    """One connection on which a browser hears the call. `sound` is what got through to it."""

    def __init__(self, browser: socket.socket, server: socket.socket) -> None:
        self.browser, self.server = browser, server
        self.sound = bytearray()
        self.dropping = False


class Network:
    """Between the browser and the server at `target`. Faults concern the sound alone: the rest of the page stays connected."""

    def __init__(self, target: str) -> None:
        self._target = ("127.0.0.1", int(target.rpartition(":")[2]))
        self._flowing = threading.Event()
        self._flowing.set()
        self._delay_s = 0.0
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.listenings: list[Listening] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._start(self._accept)

    def hold(self) -> None:
        """No sound gets through, on old connections and new ones, until `release` delivers it all."""
        self._flowing.clear()

    def release(self) -> None:
        self._flowing.set()

    def delay(self, seconds: float) -> None:
        """Whatever comes from now on is late by so much."""
        self._delay_s = seconds

    def drop(self) -> None:
        """What is sent on the connections of now is lost, and nobody notices: they stay open."""
        for each in self.listenings:
            each.dropping = True

    def cut(self) -> None:
        """Ends the connections of now."""
        for each in self.listenings:
            _shut(each.browser, each.server)

    def sent(self, first: int = 0) -> float:
        """Seconds from the first sample that got through on the connections from number `first` on to the last, and all between."""
        spans = self._spans(first)
        return (max(end for _, end in spans) - spans[0][0]) / RATE

    def lost(self) -> float:
        """Seconds in between that did not get through."""
        spans = self._spans(0)
        ends = accumulate((end for _, end in spans), max)
        return sum(max(0, begin - end) for end, (begin, _) in zip(ends, spans[1:], strict=False)) / RATE

    def with_sound(self) -> int:
        """How many connections have delivered any."""
        return sum(bool(each.sound) for each in self.listenings)

    def _spans(self, first: int) -> list[tuple[int, int]]:
        """From which sample of the call to which each connection delivered, in order."""
        whole = call().astype("<i2").tobytes() + bytes(_SAMPLE_BYTES * RATE)
        heard = [(whole.index(bytes(each.sound)), len(each.sound)) for each in self.listenings[first:] if each.sound]
        return sorted((begin // _SAMPLE_BYTES, (begin + size) // _SAMPLE_BYTES) for begin, size in heard)

    def close(self) -> None:
        self.release()
        _shut(self._listening, *self._sockets)
        for thread in self._threads:
            thread.join(HANG_S)
        for each in (self._listening, *self._sockets):
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                browser, _ = self._listening.accept()
            except OSError:
                return
            self._start(self._serve, browser)

    def _serve(self, browser: socket.socket) -> None:
        self._sockets.append(browser)
        try:
            head = browser.recv(65536)
            server = socket.create_connection(self._target)
        except OSError:
            return
        self._sockets.append(server)
        listening = Listening(browser, server) if _LISTEN in head.split(b"\r\n")[0] else None
        if listening:
            self.listenings.append(listening)
        server.sendall(head)
        self._start(self._carry, browser, server, None)
        self._carry(server, browser, listening)

    def _carry(self, source: socket.socket, sink: socket.socket, listening: Listening | None) -> None:
        frames = Frames()
        with suppress(OSError):
            while data := source.recv(65536):
                if listening:
                    self._flowing.wait()
                    time.sleep(self._delay_s)
                    if listening.dropping:
                        continue
                sink.sendall(data)
                if listening:
                    listening.sound += frames.sound(data)
        if not (listening and listening.dropping):  # else nobody hears of its end
            _shut(source, sink)

    def _start(self, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()


def _shut(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
