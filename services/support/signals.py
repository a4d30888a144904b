"""Telling those who are there that something changed: a list of callbacks, each free to come and go at any time."""

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")


class Signal(Generic[T]):
    """Callbacks that are told of each value, in the order in which they came. Called on the event loop, so they must be quick."""

    def __init__(self) -> None:
        self._callbacks: dict[object, Callable[[T], None]] = {}

    def __len__(self) -> int:
        return len(self._callbacks)

    def subscribe(self, callback: Callable[[T], None]) -> Callable[[], None]:
        """Adds `callback`; what is returned takes it away again and may be called more than once."""
        key = object()
        self._callbacks[key] = callback
        return lambda: (self._callbacks.pop(key, None), None)[1]

    def emit(self, value: T) -> None:
        """Tells everyone. One callback that fails is logged and keeps nobody else from hearing it."""
        for callback in list(self._callbacks.values()):
            try:
                callback(value)
            except Exception:
                log.exception("a subscriber failed")
