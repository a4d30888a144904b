"""Lets a message through once in a while, so that a lasting fault does not fill the log."""

import time


class Rarely:
    """`rarely(key)` is True at most once in `seconds` for each key."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last: dict[object, float] = {}

    def __call__(self, key: object = None) -> bool:
        now = time.monotonic()
        self._last = {known: at for known, at in self._last.items() if now - at < self._seconds}
        if key in self._last:
            return False
        self._last[key] = now
        return True
