"""The block list: numbers that are never called. It is in the journal, common to all processes."""

import logging
import re
from dataclasses import dataclass

from services.dialling.journal_states import FollowedState, States
from services.domain.errors import NumberError
from services.domain.phone_number import as_dialled, clean

log = logging.getLogger(__name__)

STATE = "blocked"
"""The name of the state in the journal: one number or prefix per line."""

_RULE = re.compile(r"\+\d{1,15}\*?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    numbers: frozenset[str] = frozenset()
    prefixes: frozenset[str] = frozenset()
    lengths: tuple[int, ...] = ()


class BlockList(FollowedState):
    """Numbers and prefixes (`+14155552671`, `+1900*`). A number may be given in any way in which it can be dialled:
    `+49 (0)30 901820`, `0049 30 901820`.
    """

    def __init__(self, journal: States) -> None:
        super().__init__(journal, STATE)
        self._lines: tuple[str, ...] = ()
        self._rules = _Rules()

    @property
    def rules(self) -> tuple[str, ...]:
        """All numbers and prefixes, in the order in which they were added."""
        return self._lines

    def rule_for(self, e164: str) -> str | None:
        """The number or prefix that blocks `e164`; None if it is not blocked.

        A number blocks everything that begins with it: a switch may ignore the digits after a whole number, or take them for an extension.
        """
        rules = self._rules
        for beginning in (e164[:length] for length in rules.lengths):
            if beginning in rules.prefixes:
                return f"{beginning}*"
            if beginning in rules.numbers:
                return beginning
        return None

    def _read(self, value: str) -> None:
        self._lines = tuple(value.splitlines())
        self._rules = _compiled(self._lines)

    async def add(self, rule: str) -> bool:
        """Blocks a number or prefix in all processes; False if it was already listed. Raises NumberError, JournalError."""
        wanted = understood(rule)
        if wanted is None:
            raise NumberError("Write a number with + and the country code, like +14155552671, or the beginning of one, like +1900*.")
        return await self._change([wanted], [])

    async def add_all(self, rules: list[str]) -> None:
        """Adds rules as `understood` returns them, all at once. Raises JournalError."""
        await self._change(rules, [])

    async def remove(self, rule: str) -> bool:
        """Removes a number or prefix; False if it was not listed. Raises JournalError."""
        unwanted = understood(rule)
        return unwanted is not None and await self._change([], [unwanted])

    async def _change(self, more: list[str], less: list[str]) -> bool:
        changed = False

        def change(value: str) -> str:
            nonlocal changed
            before = value.splitlines()
            after = [line for line in dict.fromkeys([*before, *more]) if line not in less]
            changed = after != before
            return "".join(f"{line}\n" for line in after)

        await self._change_state(change)
        return changed


def understood(line: str) -> str | None:
    """The rule in a line, without comment and separators; None if the line is no rule."""
    rule = re.sub(r"[\s().\-/\u2010-\u2015]", "", clean(line.partition("#")[0]))
    if not _RULE.fullmatch(rule):
        return None
    return rule if rule.endswith("*") else as_dialled(rule)


def _compiled(rules: tuple[str, ...]) -> _Rules:
    numbers = frozenset(rule for rule in rules if not rule.endswith("*"))
    prefixes = frozenset(rule[:-1] for rule in rules if rule.endswith("*"))
    return _Rules(numbers=numbers, prefixes=prefixes, lengths=tuple(sorted({len(beginning) for beginning in numbers | prefixes})))
