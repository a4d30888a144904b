"""Limits how many operations one client may run at once that fill the disk or delay others."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from services.domain.client import Client
from services.domain.errors import LimitReached


class AtOnce:
    """`what` is plural, as in "At most 4 files of calls at once."."""

    def __init__(self, most: int, what: str) -> None:
        self._most = most
        self._what = what
        self._running: Counter[str] = Counter()

    @contextmanager
    def one(self, client: Client) -> Iterator[None]:
        """Counts one operation of this client until the context ends. Raises LimitReached if too many run."""
        if self._running[client.name] >= self._most:
            raise LimitReached(f"At most {self._most} {self._what} at once.", retry_after=5)
        self._running[client.name] += 1
        try:
            yield
        finally:
            self._running[client.name] -= 1
