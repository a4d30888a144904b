"""A network between a browser and Earshot: it counts what a listener was sent, and it can hold, delay, drop and cut."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tests.browser.everywhere.frames import Frames
from tests.browser.everywhere.spoken import call

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
            for end in (each.browser, each.server):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def sent(self) -> float:
        """Seconds from the first sample that got through to the last, also those in between that did not."""
        whole = call().astype("<i2").tobytes() + bytes(_SAMPLE_BYTES * 16_000)
        spans = [(whole.index(bytes(each.sound)), len(each.sound)) for each in self.listenings if each.sound]
        return (max(begin + size for begin, size in spans) - min(begin for begin, _ in spans)) / _SAMPLE_BYTES / 16_000

    def close(self) -> None:
        self.release()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                browser, _ = self._listening.accept()
            except OSError:
                return
            self._start(self._serve, browser)

    def _serve(self, browser: socket.socket) -> None:
        try:
            head = browser.recv(65536)
            server = socket.create_connection(self._target)
        except OSError:
            return browser.close()
        listening = Listening(browser, server) if _LISTEN in head.split(b"\r\n")[0] else None
        if listening:
            self.listenings.append(listening)
        server.sendall(head)
        self._start(self._carry, browser, server, None)
        self._carry(server, browser, listening)
        return None

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
                    listening.sound += frames.sound(data)
                else:
                    sink.sendall(data)
        if listening and listening.dropping:
            return  # nobody hears of its end
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        source.close()

    def _start(self, work: Callable[..., None], *arguments: Any) -> None:
        threading.Thread(target=work, args=arguments, daemon=True).start()
