"""People by their numbers: a contact has a number, a name and perhaps a note. Pure."""

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from services.domain.errors import NumberError, RequestError
from services.domain.national_number import read_national
from services.domain.phone_number import NOT_A_NUMBER, as_dialled, one_number
from services.domain.text import clean_text

MOST_CONTACTS = 5000
LONGEST_NAME = 100
LONGEST_NOTE = 500
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_SHORTEST = 7  # digits of a number with its country code
_LOOKED_AT = 10 * LONGEST_NAME  # characters: one card of a file may give a name of a megabyte to thousands of numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """`number` is in E.164, as calls have it."""

    number: str
    name: str
    note: str = ""


def contact_of(number: str, name: str, note: str = "", *, regions: Sequence[str | None] = ()) -> Contact:
    """A contact from what was typed or read. A number without a country code is one of `regions` (ISO 3166), if it is clear which.

    Raises NumberError for a number that is none, and RequestError without a name.
    """
    name = one_line(name)
    if not name:
        raise RequestError("Give the contact a name.", code="nameless_contact")
    return Contact(number=_number(number, regions), name=name, note=clean_text(note, most=LONGEST_NOTE))


def _number(text: str, regions: Sequence[str | None]) -> str:
    digits = one_number(text)
    if digits.startswith("+"):
        if len(digits) <= _SHORTEST:
            raise NumberError("This number is too short.", code="short_number")
        if not _E164.fullmatch(digits):
            raise NumberError(NOT_A_NUMBER)
        return as_dialled(digits)
    national = read_national(text, regions)
    if national is None or not national.certain:
        raise NumberError("Start with + and the country code.")
    return national.e164


def one_line(text: str) -> str:
    """`text` without line breaks and characters that nobody sees, cut to LONGEST_NAME characters."""
    spaced = re.sub(r"\s+", " ", text[:_LOOKED_AT])
    return "".join(each for each in spaced if unicodedata.category(each) not in ("Cc", "Cf", "Cs")).strip()[:LONGEST_NAME]


def too_many() -> RequestError:
    return RequestError(f"There can be {MOST_CONTACTS} contacts at most.", code="too_many_contacts")


def dumped(contacts: Iterable[Contact]) -> str:
    """The contacts as the journal keeps them: one per line, as JSON."""
    return "".join(json.dumps(asdict(contact), ensure_ascii=False) + "\n" for contact in contacts)


def loaded(text: str) -> dict[str, Contact]:
    """What `dumped` wrote, by number. Fields that a newer version has added are left out."""
    read = (json.loads(line) for line in text.split("\n") if line)
    return {one["number"]: Contact(number=one["number"], name=one["name"], note=one.get("note", "")) for one in read}


def folded(text: str) -> str:
    """`text` for comparing: without accents and case."""
    return "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each)).casefold()
