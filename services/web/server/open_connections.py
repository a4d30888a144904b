"""Keeps file descriptors free: once nearly all are in use, the connections that matter least are closed, and new ones are answered.

A client that opens connections and says nothing, or never reads, could otherwise use up all descriptors until its timeouts pass, and
nobody could reach Earshot meanwhile, `/health` neither.
"""

import heapq
import logging
import os
import socket
import threading
import time
from collections import Counter
from enum import IntEnum
from typing import Protocol

from services.support.descriptors import descriptor_limit
from services.support.rarely import Rarely

log = logging.getLogger(__name__)


_OPENS_WITHIN_S = 1.0  # from a request to the opening of the file that answers it


class Standing(IntEnum):
    """What becomes of a connection if it is closed; the first ones are closed first."""

    UNREAD = 0
    """Its client does not read what waits for it."""
    IDLE = 1
    """It has no request, or not all of one, and its client can send it again."""
    STREAM = 2
    """A WebSocket, or an answer that has begun."""
    ANSWERING = 3
    """A request is being answered: never closed, its client could not tell what became of the request."""


class OpenConnection(Protocol):
    """`moved_at` is when bytes last moved, by `time.monotonic()`."""

    client: tuple[str, int] | None
    moved_at: float

    def standing(self) -> Standing: ...

    def abort(self) -> None:
        """Closes the connection at once. May be called from another thread."""


def reserved(limit: int) -> int:
    """How many of the process's descriptors connections leave free, for files and for connections that are being accepted."""
    return max(32, min(1024, limit // 8))


def backlog() -> int:
    """How many connections the system may queue: the event loop accepts them all before it can close any."""
    limit = descriptor_limit()
    return 2048 if limit is None else min(2048, reserved(limit) // 2)


class OpenConnections:
    """All connections of the process, also those that another thread serves."""

    def __init__(self) -> None:
        self._open: set[OpenConnection] = set()
        self._begun: dict[OpenConnection, float] = {}
        self._lock = threading.Lock()
        self._rarely = Rarely(60)

    def opened(self, connection: OpenConnection, connected: socket.socket) -> None:
        """Closes others if `connected` got one of the last free descriptors: the system gives the lowest free one."""
        with self._lock:
            self._open.add(connection)
        self._make_room(connected.fileno(), connection)

    def closed(self, connection: OpenConnection) -> None:
        with self._lock:
            self._open.discard(connection)
            self._begun.pop(connection, None)

    def begins(self, connection: OpenConnection) -> None:
        """A request has come, and its answer may need a descriptor too, for a file."""
        with self._lock:
            self._begun.pop(connection, None)  # so that they stay in order
            self._begun[connection] = time.monotonic()
        try:
            lowest_free = os.open(os.devnull, os.O_RDONLY)
        except OSError:
            self._make_room(None, connection)
        else:
            os.close(lowest_free)
            self._make_room(lowest_free, connection)

    def ends(self, connection: OpenConnection) -> None:
        with self._lock:
            self._begun.pop(connection, None)

    def _make_room(self, descriptor: int | None, newest: OpenConnection) -> None:
        """`descriptor` is the lowest that was free; None if there was none."""
        limit = descriptor_limit()
        if limit is None:
            return
        with self._lock:
            if descriptor is not None and descriptor + self._about_to_open() < limit - reserved(limit):
                return
            others = [(connection.standing(), connection) for connection in self._open if connection is not newest]
        closing = _least_important(others, reserved(limit) // 4)  # several at once: to look through thousands takes long
        for connection in closing:
            self.closed(connection)
            connection.abort()
        if closing and self._rarely():
            log.warning("nearly all %d file descriptors are in use: closing connections that are idle or not read (ulimit -n)", limit)

    def _about_to_open(self) -> int:
        """How many answers have begun so lately that they may still open a file."""
        now = time.monotonic()
        while self._begun:
            connection, at = next(iter(self._begun.items()))
            if now - at < _OPENS_WITHIN_S:
                break
            del self._begun[connection]
        return len(self._begun)


def _least_important(connections: list[tuple[Standing, OpenConnection]], most: int) -> list[OpenConnection]:
    """Of those alike, first of the addresses that have the most, and then the longest idle."""
    of_address = Counter(connection.client[0] if connection.client else "" for _, connection in connections)

    def importance(entry: tuple[Standing, OpenConnection]) -> tuple[int, int, float]:
        standing, connection = entry
        return standing, -of_address[connection.client[0] if connection.client else ""], connection.moved_at

    closable = [entry for entry in connections if entry[0] is not Standing.ANSWERING]
    return [connection for _, connection in heapq.nsmallest(most, closable, key=importance)]


OPEN = OpenConnections()
"""uvicorn makes the protocols of connections itself, so that they can be given nothing."""
