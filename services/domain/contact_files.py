"""Reads contacts from a vCard file (2.1, 3.0, 4.0) or from a table (CSV) as address books export them. Pure."""

import csv
import quopri
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

from services.domain.contact import MOST_CONTACTS, Contact, contact_of, folded, one_line, too_many
from services.domain.errors import EarshotError, RequestError

_NAME = re.compile(r"(full |display |file )?name|name|nombre( completo)?|nom( complet)?|vollstandiger name|anzeigename")
_GIVEN = re.compile(r"(first|given) name|vorname|prenom|nombre de pila")
_FAMILY = re.compile(r"(last|family) name|nachname|nom de famille|apellidos?")
_NUMBER = re.compile(r".*(phone|mobile|tel\b|telefon|nummer|number|numero|movil|handy|portable).*|tel|e\.?164")
_NOT_NUMBER = re.compile(r".*(type|label|typ)\b.*")
_NOTE = re.compile(r"notes?|notiz(en)?|notas?|comments?|remarks?|bemerkung(en)?")
_LONGEST_HEAD = 100  # characters of a column's heading; the time that the patterns take grows with the square of the length
_FOLD = re.compile(r"\n[ \t]")
_SOFT_BREAK = re.compile(r"=\n")


@dataclass(frozen=True, slots=True)
class ReadContacts:
    """The contacts of a file, and the names or numbers of entries that could not be read."""

    contacts: tuple[Contact, ...]
    refused: tuple[str, ...]


def read_contacts(text: str, regions: Sequence[str | None] = ()) -> ReadContacts:
    """The contacts in a file's text. Numbers without a country code are of `regions`, if it is clear which. Of a number that comes
    twice the first counts.

    Raises RequestError for a table that can't be read, and for more entries than contacts there can be.
    """
    text = re.sub("\r\n?", "\n", text).removeprefix("\ufeff").encode(errors="ignore").decode()  # JavaScript has lone surrogates
    entries = _cards(text) if re.search(r"^BEGIN:VCARD", text, re.IGNORECASE | re.MULTILINE) else _rows(text)
    found: dict[str, Contact] = {}
    refused: list[str] = []
    try:
        for taken, (name, number, note) in enumerate(entries):
            if taken >= MOST_CONTACTS:
                raise too_many()
            try:
                contact = contact_of(number, name or number, note, regions=regions)
            except EarshotError:
                refused.append(one_line(name or number))
            else:
                found.setdefault(contact.number, contact)
    except csv.Error:
        raise RequestError("This file can't be read as a table. Save it as CSV again.", code="unreadable_contacts") from None
    return ReadContacts(tuple(found.values()), tuple(refused))


def _cards(text: str) -> Iterator[tuple[str, str, str]]:
    """Name, number and note, once for each number of a card."""
    if re.search("QUOTED-PRINTABLE", text, re.IGNORECASE):
        text = _SOFT_BREAK.sub("", text)
    name, spare, note, numbers = "", "", "", list[str]()
    for line in _FOLD.sub("", text).splitlines():
        head, colon, value = line.partition(":")
        label, *options = head.upper().split(";")
        label = label.rpartition(".")[2]  # `item1.TEL`
        if not colon:
            continue
        if any("QUOTED-PRINTABLE" in option for option in options):
            value = quopri.decodestring(value.encode()).decode(errors="replace")
        if label == "BEGIN":
            name, spare, note, numbers = "", "", "", []
        elif label == "FN":
            name = _unescaped(value)
        elif label in ("N", "ORG"):
            spare = spare or " ".join(filter(None, map(_unescaped, _in_order(label, value))))
        elif label == "NOTE":
            note = _unescaped(value)
        elif label == "TEL":
            numbers.append(re.sub(r"^tel:", "", _unescaped(value), flags=re.IGNORECASE).partition(";")[0])
        elif label == "END":
            for number in numbers:
                yield name or spare, number, note


def _in_order(label: str, value: str) -> list[str]:
    """The parts of a structured value as people say them: `Flores;Ana;;;` is Ana Flores."""
    parts = re.split(r"(?<!\\);", value)
    return [*parts[1:2], *parts[:1]] if label == "N" else parts[:1]


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda escaped: "\n" if escaped[1] in "nN" else escaped[1], value).strip()


def _rows(text: str) -> Iterator[tuple[str, str, str]]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = [[cell.strip() for cell in row] for row in csv.reader(StringIO(text), delimiter=delimiter) if any(cell.strip() for cell in row)]
    if not rows:
        return
    heads = [folded(cell[:_LONGEST_HEAD]).strip() for cell in rows[0]]
    numbers = [at for at, head in enumerate(heads) if _NUMBER.fullmatch(head) and not _NOT_NUMBER.fullmatch(head)]
    if not numbers:
        yield from map(_unnamed, rows)
        return
    whole, given, family, noted = (_columns(heads, wanted) for wanted in (_NAME, _GIVEN, _FAMILY, _NOTE))
    for row in rows[1:]:
        name = _first(row, whole) or " ".join(filter(None, (_first(row, given), _first(row, family))))
        for number in filter(None, (row[at] for at in numbers if at < len(row))):
            yield name, number, _first(row, noted)


def _columns(heads: Sequence[str], wanted: re.Pattern[str]) -> list[int]:
    return [at for at, head in enumerate(heads) if wanted.fullmatch(head)]


def _first(row: Sequence[str], columns: Sequence[int]) -> str:
    return next((row[at] for at in columns if at < len(row) and row[at]), "")


def _unnamed(row: Sequence[str]) -> tuple[str, str, str]:
    """A row of a table without headings: name, number and note, or number, name and note."""
    first, second, note = (*row, "", "", "")[:3]
    return (second, first, note) if re.match(r"[+(\d]", first) else (first, second, note)
