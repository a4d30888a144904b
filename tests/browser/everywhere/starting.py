"""Waiting for a program to be ready."""

import subprocess
import time
from collections.abc import Callable
from typing import TypeVar

from tests.patience import HANG_S

_LOOK_S = 0.05
_Found = TypeVar("_Found")


def ready(process: subprocess.Popen[bytes], look: Callable[[], _Found], said: Callable[[], str] = str) -> _Found:
    """What `look` finds, once it finds something. Raises AssertionError, with what was `said`, if the process ends or takes too long."""
    give_up = time.monotonic() + HANG_S
    while not (found := look()):
        if process.poll() is not None or time.monotonic() > give_up:
            raise AssertionError(f"{process.args!r} did not start: {said()}")
        time.sleep(_LOOK_S)
    return found
