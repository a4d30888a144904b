"""Quick phrases: the owner's suggestions for Say and Whisper. They are in the journal, common to all processes."""

import asyncio
import json
from collections.abc import Callable

from services.dialling.journal_states import FollowedState, States
from services.domain.client import Client, Scope
from services.domain.errors import FieldError, RequestError
from services.domain.permissions import require

STATE = "phrases"
"""The name of the state in the journal."""
MOST = 30
LONGEST = 300
"""Most characters of a phrase."""


class Phrases(FollowedState):
    """`all` are in the owner's order. `changed` is emitted when any process changes them. `note` writes the audit."""

    def __init__(self, journal: States, note: Callable[..., "asyncio.Task[None]"]) -> None:
        super().__init__(journal, STATE)
        self.all: tuple[str, ...] = ()
        self._note = note

    def _read(self, value: str) -> None:
        self.all = tuple(json.loads(value)) if value else ()

    async def replace(self, text: str, client: Client) -> None:
        """Replaces all phrases by the lines of `text`; empty and repeated ones are left out.

        Raises Forbidden without the scope `manage`, RequestError for too many or too long ones, JournalError.
        """
        require(client, Scope.MANAGE)
        phrases = checked(text)
        await self._change_state(lambda _: json.dumps(phrases, ensure_ascii=False))
        self._note(client, "change-phrases", detail=str(len(phrases)))


def checked(text: str) -> list[str]:
    """The phrases in the lines of `text`. Raises RequestError."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    phrases = list(dict.fromkeys(line for line in lines if line))
    if len(phrases) > MOST or any(len(phrase) > LONGEST for phrase in phrases) or not all(map(str.isprintable, phrases)):
        said = f"At most {MOST} phrases, each in a line of at most {LONGEST} characters."
        raise RequestError(said, code="invalid_phrases", errors=[FieldError("phrases", said)])
    return phrases
