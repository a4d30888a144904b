"""The block list: numbers that are never called, in a text file that people and Earshot edit."""

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.domain.errors import NumberError
from services.domain.phone_number import as_dialled, clean
from services.support.whole_file import Stamp, stamp, write_whole

log = logging.getLogger(__name__)

_RULE = re.compile(r"\+\d{1,15}\*?", re.ASCII)
_HEAD = "# Numbers that Earshot never calls: one per line, with + and the country code. +1900* blocks all numbers that begin with +1900.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    numbers: frozenset[str] = frozenset()
    prefixes: frozenset[str] = frozenset()
    lengths: tuple[int, ...] = ()
    bad_lines: tuple[int, ...] = ()


class BlockList:
    """One number or prefix per line (`+14155552671`, `+1900*`); `#` starts a comment. A number may be written in any way in which it can be
    dialled: `+49 (0)30 901820`, `0049 30 901820`.

    The file is read again whenever it changes. An invalid line blocks nothing, because blocking everything would stop all calls for a
    typing error. It is logged once per edit of the file and listed in `bad_lines`. If the file can't be read, the first `refresh`
    raises OSError; later ones keep the rules that were read before.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rules = _Rules()
        self._stamp: Stamp = None
        self._read_once = False
        self._one_at_a_time = asyncio.Lock()

    @property
    def bad_lines(self) -> tuple[int, ...]:
        """Numbers of the invalid lines, counted from 1."""
        return self._rules.bad_lines

    def rule_for(self, e164: str) -> str | None:
        """The number or prefix that blocks `e164`, as last read by `refresh`; None if it is not blocked.

        A number blocks everything that begins with it: a switch may ignore the digits after a whole number, or take them for an extension.
        """
        rules = self._rules
        for beginning in (e164[:length] for length in rules.lengths):
            if beginning in rules.prefixes:
                return f"{beginning}*"
            if beginning in rules.numbers:
                return beginning
        return None

    async def refresh(self) -> None:
        """Reads the file if it changed; call this before dialling. Raises OSError only if it was never read."""
        try:
            if stamp(self._path) != self._stamp or not self._read_once:
                async with self._one_at_a_time:
                    await self._read()
        except OSError as error:
            if not self._read_once:
                raise
            log.error("could not read the block list, keeping the previous one (%s)", error.strerror)

    async def add(self, rule: str) -> bool:
        """Blocks a number or prefix, on disk before this returns; False if it was already listed. Raises NumberError, OSError."""
        wanted = _understood(rule)
        if wanted is None:
            raise NumberError("Write a number with + and the country code, like +14155552671, or the beginning of one, like +1900*.")
        return await self._edit(lambda lines: [*lines, wanted] if wanted not in map(_understood, lines) else lines)

    async def remove(self, rule: str) -> bool:
        """Removes a number or prefix and keeps all other lines; False if it was not listed."""
        unwanted = _understood(rule)
        return await self._edit(lambda lines: [line for line in lines if unwanted is None or _understood(line) != unwanted])

    async def _edit(self, change: Callable[[list[str]], list[str]]) -> bool:
        async with self._one_at_a_time:
            changed = await asyncio.to_thread(_rewrite, self._path, change)
            await self._read()
            return changed

    async def _read(self) -> None:
        now = stamp(self._path)
        if now == self._stamp and self._read_once:
            return
        rules = await asyncio.to_thread(_read_rules, self._path)
        if rules.bad_lines:
            numbers = ", ".join(map(str, rules.bad_lines[:20]))
            log.warning("the block list has invalid lines, which block nothing: %s", numbers)
        self._rules, self._stamp, self._read_once = rules, now, True


def _understood(line: str) -> str | None:
    """The rule in a line, without comment and separators; None if the line is no rule."""
    rule = re.sub(r"[\s().\-/\u2010-\u2015]", "", clean(line.partition("#")[0]))
    if not _RULE.fullmatch(rule):
        return None
    return rule if rule.endswith("*") else as_dialled(rule)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8-sig", errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _rewrite(path: Path, change: Callable[[list[str]], list[str]]) -> bool:
    before = _lines(path)
    after = change(before)
    if after != before:
        write_whole(path, ("" if before else _HEAD) + "".join(f"{line}\n" for line in after))
    return after != before


def _read_rules(path: Path) -> _Rules:
    numbers: set[str] = set()
    prefixes: set[str] = set()
    bad_lines: list[int] = []
    for place, line in enumerate(_lines(path), 1):
        rule = _understood(line)
        if rule is None:
            if line.partition("#")[0].strip():
                bad_lines.append(place)
        elif rule.endswith("*"):
            prefixes.add(rule[:-1])
        else:
            numbers.add(rule)
    return _Rules(
        numbers=frozenset(numbers),
        prefixes=frozenset(prefixes),
        lengths=tuple(sorted({len(beginning) for beginning in numbers | prefixes})),
        bad_lines=tuple(bad_lines),
    )
