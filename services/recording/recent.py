"""A memory of the latest calls, for facts that nobody asks for after a while."""

from typing import TypeVar

T = TypeVar("T")

_REMEMBERED = 1000  # calls


def remember(memory: dict[str, T], call_id: str, value: T) -> None:
    """Adds to `memory`, and forgets its oldest entries."""
    memory[call_id] = value
    while len(memory) > _REMEMBERED:
        del memory[next(iter(memory))]
