"""Who listens to a call live. Each process knows its own listeners only."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from services.support.signals import Signal


class Audience:
    """`changed` emits the id of a call whose listeners have changed."""

    def __init__(self) -> None:
        self.changed: Signal[str] = Signal()
        self._calls: dict[str, Counter[str]] = {}

    @contextmanager
    def listening(self, call_id: str, client: str) -> Iterator[None]:
        """A client of this name listens while the block runs."""
        names = self._calls.setdefault(call_id, Counter())
        names[client] += 1
        self.changed.emit(call_id)
        try:
            yield
        finally:
            names[client] -= 1
            if not +names:
                self._calls.pop(call_id, None)
            self.changed.emit(call_id)

    def of(self, call_id: str) -> Mapping[str, int]:
        """How many listeners of each name the call has, in the order in which the names came."""
        return +self._calls.get(call_id, Counter[str]())
