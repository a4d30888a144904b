"""A memory of the latest of something, for facts that nobody asks for after a while."""

from typing import TypeVar

K = TypeVar("K")
T = TypeVar("T")


def remember(memory: dict[K, T], key: K, value: T, *, most: int = 1000) -> None:
    """Adds to `memory` as its newest entry, and forgets the oldest beyond `most`."""
    memory.pop(key, None)
    memory[key] = value
    while len(memory) > most:
        del memory[next(iter(memory))]
