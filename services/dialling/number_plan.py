"""Which kinds of numbers begin as a number does that its numbering plan does not know as a whole. Pure.

libphonenumber says what a whole number is, but nothing about one with a digit more or less than a premium-rate number. Its plans are
regular expressions over digits, of classes, groups, alternatives and counts alone. `Plan` walks through them digit by digit.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberType

_KINDS = {
    "premium_rate": PhoneNumberType.PREMIUM_RATE,
    "shared_cost": PhoneNumberType.SHARED_COST,
    "pager": PhoneNumberType.PAGER,
    "personal_number": PhoneNumberType.PERSONAL_NUMBER,
    "uan": PhoneNumberType.UAN,
    "toll_free": PhoneNumberType.TOLL_FREE,
    "voip": PhoneNumberType.VOIP,
    "voicemail": PhoneNumberType.VOICEMAIL,
    "fixed_line": PhoneNumberType.FIXED_LINE,
    "mobile": PhoneNumberType.MOBILE,
}
_ITEM = re.compile(r"\\d|\[[^\]]*\]|\d|\(\?:|[()|?]|\{\d+(?:,\d+)?\}", re.ASCII)
_ANY = frozenset("0123456789")


@dataclass(slots=True)
class Walk:
    """How far `digits` go along a pattern. `cut` is True if they end where the pattern continues."""

    digits: str
    furthest: int = 0
    cut: bool = False


@dataclass(frozen=True, slots=True)
class _Digit:
    allowed: frozenset[str]

    def ends(self, walk: Walk, start: int) -> set[int]:
        if start == len(walk.digits):
            walk.cut = True
            return set()
        if walk.digits[start] not in self.allowed:
            return set()
        walk.furthest = max(walk.furthest, start + 1)
        return {start + 1}


@dataclass(frozen=True, slots=True)
class _Repeat:
    part: "_Node"
    least: int
    most: int

    def ends(self, walk: Walk, start: int) -> set[int]:
        here, found = {start}, {start} if self.least == 0 else set[int]()
        for times in range(1, self.most + 1):
            here = {end for place in here for end in self.part.ends(walk, place)}
            if times >= self.least:
                found |= here
        return found


@dataclass(frozen=True, slots=True)
class _Sequence:
    parts: tuple["_Node", ...]

    def ends(self, walk: Walk, start: int) -> set[int]:
        here = {start}
        for part in self.parts:
            here = {end for place in here for end in part.ends(walk, place)}
        return here


@dataclass(frozen=True, slots=True)
class _Alternatives:
    choices: tuple["_Node", ...]

    def ends(self, walk: Walk, start: int) -> set[int]:
        return {end for choice in self.choices for end in choice.ends(walk, start)}


_Node = _Digit | _Repeat | _Sequence | _Alternatives


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a plan knows of a national number's beginning.

    `longer_than` are the kinds of the plan's numbers with which it begins, `shorter_than` of those that begin with it; either may be
    itself. `depth` is how many of its digits begin some number of the plan, and `kinds` are the kinds of those numbers.
    """

    longer_than: frozenset[int]
    shorter_than: frozenset[int]
    depth: int
    kinds: frozenset[int]


def beginning(country_code: int, national: str) -> Beginning:
    """What all regions that share `country_code` know of the digits of `national`."""
    longer, shorter, furthest = set(), set(), dict[int, int]()
    for kind, pattern in _patterns(country_code):
        walk = Walk(national)
        if pattern.ends(walk, 0):
            longer.add(kind)
        if walk.cut:
            shorter.add(kind)
        furthest[kind] = max(walk.furthest, furthest.get(kind, 0))
    depth = max(furthest.values(), default=0)
    kinds = frozenset(kind for kind, reached in furthest.items() if reached == depth)
    return Beginning(longer_than=frozenset(longer), shorter_than=frozenset(shorter), depth=depth, kinds=kinds)


def without_trunk_prefix(country_code: int, national: str) -> set[str]:
    """What is left of `national` behind a prefix that is dialled for long-distance calls in one of the regions that share the code."""
    found = set()
    for region in phonenumbers.region_codes_for_country_code(country_code):
        plan = PhoneMetadata.metadata_for_region(region, None)
        if plan and plan.national_prefix_for_parsing and (match := re.match(plan.national_prefix_for_parsing, national)):
            found.add(national[match.end() :])
    return found


@cache
def _patterns(country_code: int) -> tuple[tuple[int, _Node], ...]:
    found: dict[tuple[int, str], None] = {}
    for region in phonenumbers.region_codes_for_country_code(country_code):
        plan = PhoneMetadata.metadata_for_region(region, None)
        for name, kind in _KINDS.items():
            known = getattr(plan, name)
            if known is not None and known.national_number_pattern:
                found[kind, known.national_number_pattern] = None
    return tuple((kind, read_pattern(pattern)) for kind, pattern in found)


@cache
def read_pattern(pattern: str) -> _Node:
    """A plan's regular expression as a tree. Raises ValueError for what is not used in numbering plans."""
    items = _ITEM.findall(pattern)
    if "".join(items) != pattern:
        raise ValueError(f"not the pattern of a numbering plan: {pattern}")
    rest = iter([*items, ")"])
    tree = _alternatives(rest)
    if next(rest, None) is not None:
        raise ValueError(f"not the pattern of a numbering plan: {pattern}")
    return tree


def _alternatives(items: Iterator[str]) -> _Node:
    choices: list[_Node] = []
    parts: list[_Node] = []
    for item in items:
        if item in (")", "|"):
            choices.append(_Sequence(tuple(parts)))
            parts = []
            if item == ")":
                break
        elif item in ("(", "(?:"):
            parts.append(_alternatives(items))
        elif item[0] in "?{":
            least, _, most = ("0,1" if item == "?" else item[1:-1]).partition(",")
            parts.append(_Repeat(parts.pop(), int(least), int(most or least)))
        else:
            parts.append(_Digit(_ANY if item == r"\d" else frozenset(_one_of(item.strip("[]")))))
    else:
        raise ValueError("a group that does not end")
    return choices[0] if len(choices) == 1 else _Alternatives(tuple(choices))


def _one_of(members: str) -> Iterator[str]:
    for first, last in re.findall(r"(\d)(?:-(\d))?", members):
        yield from (str(digit) for digit in range(int(first), int(last or first) + 1))
