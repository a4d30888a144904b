"""What people write about a call: notes, tags, and one disposition. Pure."""

from dataclasses import dataclass
from datetime import datetime

from services.domain.errors import RequestError
from services.domain.text import clean_text

LONGEST_NOTE = 2000
LONGEST_LABEL = 50
"""Characters of a tag or a disposition."""
MOST_NOTES = 200
MOST_TAGS = 20
"""Of one call."""
LONGEST_MOMENT_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A note on a call. `moment_s` is the moment that it is about, in seconds of the call's recording; None: the whole call."""

    id: int
    at: datetime
    by: str
    text: str
    moment_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A tag or a disposition of a call: who set it, and when."""

    text: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotations:
    """All that people wrote about a call. Notes are in the order in which they were written, tags in that of the alphabet."""

    notes: tuple[Note, ...] = ()
    tags: tuple[Label, ...] = ()
    disposition: Label | None = None


def note_text(text: str) -> str:
    """The text of a note as it is stored. Raises RequestError if nothing is left of it."""
    if cleaned := clean_text(text, most=LONGEST_NOTE):
        return cleaned
    raise RequestError("A note needs a text.")


def label_text(text: str) -> str:
    """A tag or disposition as it is stored: on one line, single spaces. Raises RequestError if nothing is left of it."""
    if cleaned := " ".join(clean_text(text, most=LONGEST_LABEL).split()):
        return cleaned
    raise RequestError("A tag needs a text.")
