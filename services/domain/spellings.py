"""All the ways in which people and programs write one phone number, to find it in texts. Pure."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from services.domain.errors import NumberError
from services.domain.phone_number import NOT_A_NUMBER, masked

_BETWEEN = r"[\s().\-/\u00b7\u2010-\u2015\u2212]{0,3}"  # \s has the no-break spaces
_JOINTS = ("", " ", "-", ".", "/", "\u00a0", "\u202f", "\u2011", "\u00b7")
_SHORTEST_ALONE = 7
"""Fewest digits without a country code that count as the number: fewer could be anything."""
_WRITTEN = re.compile(r"\+\d{7,15}", re.ASCII)
_RUN = re.compile(rf"\+?\(?\d(?:{_BETWEEN}\d){{{_SHORTEST_ALONE - 1},}}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Spellings:
    """Every usual spelling contains one of `parts`; `pattern` finds the whole number, but not inside a longer row of digits."""

    parts: tuple[str, ...]
    pattern: re.Pattern[str]
    mask: str

    def hide(self, text: str) -> str:
        """The text with each spelling of the number masked."""
        return self.pattern.sub(self.mask, text)

    def hide_stored(self, text: str) -> str:
        """`hide` for what programs read again: text, or one JSON document a line. In JSON only texts and whole numbers are masked, so that
        it can still be read, and no time is taken for a number."""
        return _hide_stored(text, self.hide)

    def named_in(self, *texts: str) -> bool:
        """True if the number is in one of these texts."""
        return any(self.pattern.search(text) for text in texts)


def spellings(e164: str) -> Spellings:
    """The spellings of a number in E.164, also of one whose country code nobody has: a caller may show any. Raises NumberError for
    anything else."""
    try:
        parsed = phonenumbers.parse(e164, None)
    except NumberParseException:
        if not _WRITTEN.fullmatch(e164):
            raise NumberError(NOT_A_NUMBER) from None
        national = e164.removeprefix("+")
        groups, before = set[tuple[str, ...]](), rf"(?:(?:\+|00|011){_BETWEEN})?"
    else:
        code, national = str(parsed.country_code), phonenumbers.national_significant_number(parsed)
        groups = {tuple(_groups(parsed, PhoneNumberFormat.INTERNATIONAL)[1:]), tuple(_groups(parsed, PhoneNumberFormat.NATIONAL))}
        alone = "?" if len(national) >= _SHORTEST_ALONE else ""
        before = rf"(?:(?:(?:\+|00|011){_BETWEEN})?\(?{_spaced(code)}\)?{_BETWEEN}(?:\(?0\)?{_BETWEEN})?|\(?0){alone}"
    groups |= {tuple(_pairs(national)), (national,)}
    parts = {joint.join(_end(found)) for found in groups if found for joint in _JOINTS}
    pattern = re.compile(rf"(?<!\d)\(?{before}\(?{_spaced(national)}(?!\d)")
    return Spellings(tuple(sorted(parts)), pattern, masked(e164))


def hide_numbers(text: str) -> str:
    """The text with all numbers in E.164 masked."""
    return _WRITTEN.sub(lambda found: masked(found[0]), text)


def hide_digits(text: str) -> str:
    """The text with everything masked that may be a number, however it is spelled: each row of at least seven digits."""
    return _RUN.sub(lambda found: masked("".join(filter(str.isdigit, found[0]))), text)


def hide_stored_digits(text: str) -> str:
    """`hide_digits` for what programs read again, as `Spellings.hide_stored` is for one number."""
    return _hide_stored(text, hide_digits)


def _hide_stored(text: str, hide: Callable[[str], str]) -> str:
    def hide_text(text: str) -> str:
        return text if _TIME.fullmatch(text) else hide(text)

    def hide_value(value: Any) -> Any:
        if isinstance(value, str):
            return hide_text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return value if (hidden := hide(str(value))) == str(value) else hidden
        return value

    def hide_line(line: str) -> str:
        try:
            document = json.loads(line)
        except ValueError:
            document = None
        if not isinstance(document, dict | list):
            return hide_text(line)
        hidden = _each(document, hide_value)
        return line if hidden == document else json.dumps(hidden, separators=(",", ":"))

    return "\n".join(map(hide_line, text.split("\n")))


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    """A JSON value with each of its texts, numbers and keys changed."""
    if isinstance(value, dict):
        return {change(key): _each(one, change) for key, one in value.items()}
    if isinstance(value, list):
        return [_each(one, change) for one in value]
    return change(value)


def _groups(parsed: phonenumbers.PhoneNumber, form: int) -> list[str]:
    return re.findall(r"\d+", phonenumbers.format_number(parsed, form))


def _pairs(digits: str) -> Iterator[str]:
    """Two by two, the odd one first."""
    start = len(digits) % 2
    if start:
        yield digits[0]
    for at in range(start, len(digits), 2):
        yield digits[at : at + 2]


def _end(groups: Sequence[str]) -> Sequence[str]:
    """The last groups, with at least seven digits if there are as many: brackets may stand before them."""
    for count in range(1, len(groups)):
        if sum(map(len, groups[-count:])) >= _SHORTEST_ALONE:
            return groups[-count:]
    return groups


def _spaced(digits: str) -> str:
    return _BETWEEN.join(digits)
