"""Quick phrases: what the owner has people say or whisper often. They are in the journal, common to all processes."""

import asyncio
import json
from collections.abc import Callable

from services.dialling.journal_states import States
from services.domain.client import Client, Scope
from services.domain.errors import FieldError, RequestError
from services.domain.permissions import require
from services.support.signals import Signal

STATE = "phrases"
"""The name of the state in the journal."""
MOST = 30
LONGEST = 300
"""Characters of a phrase."""


class Phrases:
    """`all` are in the owner's order. `changed` tells that they were changed, in whichever process. `note` writes the audit."""

    def __init__(self, journal: States, note: Callable[..., "asyncio.Task[None]"]) -> None:
        self.changed: Signal[None] = Signal()
        self.all: tuple[str, ...] = ()
        self._journal = journal
        self._note = note
        self._revision = -1

    async def load(self) -> None:
        """Reads the phrases. Raises JournalError."""
        self.follow(*await self._journal.state(STATE))

    def follow(self, value: str, revision: int) -> None:
        """Applies the journal's phrases, unless something newer is known."""
        if revision > self._revision:
            self._revision = revision
            self.all = tuple(json.loads(value)) if value else ()
            self.changed.emit(None)

    async def replace(self, text: str, client: Client) -> None:
        """Replaces all phrases by the lines of `text`; empty and repeated ones are left out.

        Raises Forbidden without the scope `manage`, RequestError for too many or too long ones, JournalError.
        """
        require(client, Scope.MANAGE)
        phrases = checked(text)
        self.follow(*await self._journal.change_state(STATE, lambda _: json.dumps(phrases, ensure_ascii=False)))
        self._note(client, "change-phrases", detail=str(len(phrases)))


def checked(text: str) -> list[str]:
    """The phrases in the lines of `text`. Raises RequestError."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    phrases = list(dict.fromkeys(line for line in lines if line))
    if len(phrases) > MOST or any(len(phrase) > LONGEST for phrase in phrases) or not all(map(str.isprintable, phrases)):
        said = f"At most {MOST} phrases, each in a line of at most {LONGEST} characters."
        raise RequestError(said, code="invalid_phrases", errors=[FieldError("phrases", said)])
    return phrases
