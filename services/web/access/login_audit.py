"""Logins, failed ones and logouts in the audit."""

import asyncio
import time
from collections.abc import Callable

from services.domain.client import PAGE, Client
from services.web.access.sessions import network_of

MOST_FAILED = 20
"""Failed logins of an hour that get a row of their own, from all addresses: anybody may send as many as they like."""

_WINDOW_S = 3600.0


class LoginAudit:
    """`note` writes the audit. Rows of failed logins are bounded: the first one after those that got no row says how many they were."""

    def __init__(self, note: "Callable[..., asyncio.Task[None]]", *, clock: Callable[[], float] = time.monotonic) -> None:
        self._note = note
        self._clock = clock
        self._window_began = 0.0
        self._rows = 0
        self._unwritten = 0

    def logged_in(self, client: Client, way: str) -> None:
        """`way` is `password`, `link` or `provider`."""
        self._note(client, "login", outcome="done", detail=self._with_unwritten(way))

    def failed(self, name: str, reason: str, address: str) -> None:
        """`name` is that of the person who was named, empty if nobody has that name: what was typed there may be a password."""
        now = self._clock()
        if not self._rows or now - self._window_began >= _WINDOW_S:
            self._window_began, self._rows = now, 0
        if self._rows >= MOST_FAILED:
            self._unwritten += 1
            return
        self._rows += 1
        self._note(Client(name=name or PAGE.name), "login", outcome=reason, detail=self._with_unwritten(network_of(address)))

    def logged_out(self, client: Client) -> None:
        self._note(client, "logout", outcome="done")

    def _with_unwritten(self, detail: str) -> str:
        unwritten, self._unwritten = self._unwritten, 0
        return f"{detail} (+{unwritten} failed)" if unwritten else detail
