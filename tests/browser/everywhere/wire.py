"""JSON commands over a WebSocket, one at a time: Chromium's DevTools protocol and WebDriver BiDi both are that."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.browser.everywhere.driver import BrowserError
from tests.patience import HANG_S


class Wire:
    """`always` goes into every command."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = count(1)
        self.always: dict[str, Any] = {}

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a command. Raises BrowserError if the browser refuses it or is gone, TimeoutError if it does not answer."""
        number = next(self._ids)
        try:
            self._socket.send(json.dumps({"id": number, "method": method, "params": params, **self.always}))
            while (answer := json.loads(self._socket.recv(HANG_S))).get("id") != number:
                pass
        except ConnectionClosed as error:
            raise BrowserError(f"{method}: {error}") from error
        if "error" in answer:
            raise BrowserError(f"{method}: {answer}")
        result: dict[str, Any] = answer["result"]
        return result


@contextmanager
def wire(url: str) -> Iterator[Wire]:
    """Raises OSError if nobody listens at `url`."""
    # No pings: a browser that is stopped for the length of a test answers none.
    with connect(url, max_size=None, ping_interval=None, compression=None, proxy=None, close_timeout=1) as socket:
        yield Wire(socket)
