"""Ports for servers that a test starts a moment later."""

import secrets
import socket

_BELOW_EPHEMERAL = range(10_000, 32_000)


def free_port() -> int:
    """A port that nobody listens on.

    The kernel gives none of these to a socket that asks for any port (Linux takes those from 32768 up), so no connection that
    another test opens in the meantime takes it; and two tests that ask at the same moment hardly choose the same.
    """
    while True:
        port = secrets.choice(_BELOW_EPHEMERAL)  # not `random`, which some plugins seed alike in every worker
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
