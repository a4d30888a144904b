"""What the rules for dialling need of the journal: a text under a name that all processes share."""

from collections.abc import Callable
from typing import Protocol


class States(Protocol):
    """A state is a text, empty if there is none, and its revision, which grows with each change. Both methods raise JournalError."""

    async def state(self, name: str) -> tuple[str, int]: ...

    async def change_state(self, name: str, change: Callable[[str], str]) -> tuple[str, int]:
        """Replaces the text by what `change` makes of it, in one transaction. Returns what is stored then."""
