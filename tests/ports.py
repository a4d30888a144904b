"""Ports for servers that a test starts a moment later."""

import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager

_BELOW_EPHEMERAL = range(10_000, 32_000)
_left: list[int] = []


def free_port() -> int:
    """A port that nobody listens on.

    The kernel gives none of these to a socket that asks for any port (Linux takes those from 32768 up), so no connection that
    another test opens in the meantime takes it; and two tests that ask at the same moment hardly choose the same.
    """
    while True:
        port = secrets.choice(_BELOW_EPHEMERAL)  # not `random`, which some plugins seed alike in every worker
        if _is_free(port):
            return port


@contextmanager
def port_of_one_after_another() -> Iterator[int]:
    """A port that nobody listens on: if it can be, the one that the server before had. A browser then knows its files, and loads the page
    with three quarters of the processor time that an address takes which it has never seen."""
    port = next((port for port in reversed(_left) if _is_free(port)), None) or free_port()
    if port in _left:
        _left.remove(port)
    yield port
    _left.append(port)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that were closed a moment ago don't count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
