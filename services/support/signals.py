"""Signals: lists of callbacks that can subscribe and unsubscribe at any time."""

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")


class Signal(Generic[T]):
    """Callbacks that are called with each value, in order of subscription, on the event loop. They must return quickly."""

    def __init__(self) -> None:
        self._callbacks: dict[object, Callable[[T], None]] = {}

    def __len__(self) -> int:
        return len(self._callbacks)

    def subscribe(self, callback: Callable[[T], None]) -> Callable[[], None]:
        """Adds `callback`. Returns a function that removes it and may be called more than once."""
        key = object()
        self._callbacks[key] = callback
        return lambda: (self._callbacks.pop(key, None), None)[1]

    def emit(self, value: T) -> None:
        """Calls all callbacks. A failing callback is logged; the others are called all the same."""
        for callback in list(self._callbacks.values()):
            try:
                callback(value)
            except Exception:
                log.exception("a subscriber failed")
