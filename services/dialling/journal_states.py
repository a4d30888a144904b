"""States of the installation: named texts in the journal, shared by all processes, and copies in memory that follow their changes."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from services.support.signals import Signal


class States(Protocol):
    """A state is a text, empty if there is none, and its revision, which grows with each change. Both methods raise JournalError."""

    async def state(self, name: str) -> tuple[str, int]: ...

    async def change_state(self, name: str, change: Callable[[str], str]) -> tuple[str, int]:
        """Replaces the text by what `change` makes of it, in one transaction. Returns what is stored then."""


class Followed(Protocol):
    """A copy of the state `state_name` in memory."""

    @property
    def state_name(self) -> str: ...

    def follow(self, value: str, revision: int) -> None:
        """Applies the journal's text, unless something newer is known."""


class FollowedState(ABC):
    """A copy of the state `state_name`. `changed` is emitted when any process changes it."""

    def __init__(self, journal: States, state_name: str) -> None:
        self.changed: Signal[None] = Signal()
        self._journal = journal
        self.state_name = state_name
        self._revision = -1

    async def load(self) -> None:
        """Reads the state. Raises JournalError."""
        self.follow(*await self._journal.state(self.state_name))

    def follow(self, value: str, revision: int) -> None:
        """Applies the journal's text, unless something newer is known."""
        if revision > self._revision:
            self._revision = revision
            self._read(value)
            self.changed.emit(None)

    async def _change_state(self, change: Callable[[str], str]) -> str:
        """Changes the journal's text and this copy. Returns the text that is stored then. `change` is called again if the transaction
        is. Raises JournalError, and what `change` raises."""
        value, revision = await self._journal.change_state(self.state_name, change)
        self.follow(value, revision)
        return value

    @abstractmethod
    def _read(self, value: str) -> None:
        """Keeps what the text says."""
