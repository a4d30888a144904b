"""States of the installation: texts under names in the journal that all processes share, and copies of them that follow."""

from collections.abc import Callable
from typing import Protocol


class States(Protocol):
    """A state is a text, empty if there is none, and its revision, which grows with each change. Both methods raise JournalError."""

    async def state(self, name: str) -> tuple[str, int]: ...

    async def change_state(self, name: str, change: Callable[[str], str]) -> tuple[str, int]:
        """Replaces the text by what `change` makes of it, in one transaction. Returns what is stored then."""


class Followed(Protocol):
    """A copy of a state in memory."""

    async def load(self) -> None:
        """Reads the state. Raises JournalError."""

    def follow(self, value: str, revision: int) -> None:
        """Applies the journal's text, unless something newer is known."""
