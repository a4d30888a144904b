"""Tries a rule against past calls before it is switched on."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.domain.alert import quote
from services.domain.call import Call, CallStatus
from services.domain.client import Client, Scope
from services.domain.errors import LimitReached
from services.domain.permissions import require
from services.domain.rule import Rule, RuleKind
from services.domain.transcript import Line
from services.journal import Journal
from services.measures.judgement import exceeded, said_first
from services.measures.measured import Measured

MOST_CALLS = 500
USUAL_CALLS = 200
_WAITING = 5  # trials at once in a process; only one is worked on
_SLICE = 20  # calls that are read and judged before others get their turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A call that the rule would have given an alert of. `amount` and `said` are as an alert has them."""

    call: Call
    amount: float | None = None
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`looked_at` is the number of calls, of which `judged` have what the rule needs: a transcript, figures, or a cost. Newest first."""

    looked_at: int
    judged: int
    matches: tuple[Match, ...]


class RuleTrials:
    """Reads from the journal, in slices and in threads, so that running calls are not kept waiting."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting = 0
        self._one = asyncio.Lock()

    async def try_(self, rule: Rule, client: Client, *, most: int = USUAL_CALLS) -> Trial:
        """Judges the latest ended calls, `most` of them. Raises Forbidden, LimitReached if too many trials wait, JournalError."""
        require(client, Scope.READ)
        require(client, Scope.MANAGE)
        if self._waiting >= _WAITING:
            raise LimitReached("Others are trying rules at the moment.", retry_after=5)
        self._waiting += 1
        try:
            async with self._one:
                return await self._try(rule, min(most, MOST_CALLS))
        finally:
            self._waiting -= 1

    async def _try(self, rule: Rule, most: int) -> Trial:
        calls = await self._journal.calls(statuses=[CallStatus.ENDED], limit=most)
        trial = Trial(looked_at=len(calls), judged=0, matches=())
        for at in range(0, len(calls), _SLICE):
            found, judged = await self._judge(rule, [call for call in calls[at : at + _SLICE] if not call.erasure])
            trial = replace(trial, judged=trial.judged + judged, matches=(*trial.matches, *found))
        return trial

    async def _judge(self, rule: Rule, calls: Sequence[Call]) -> tuple[list[Match], int]:
        if rule.kind is RuleKind.COST:
            priced = [call for call in calls if call.cost is not None]
            return [Match(call=call, amount=call.cost) for call in priced if (call.cost or 0) > rule.above], len(priced)
        if rule.kind is RuleKind.KEYWORD:
            said = {call.id: await self._journal.transcript(call.id) for call in calls}
            return await asyncio.to_thread(_by_lines, rule, calls, said)
        figures = {call.id: await self._journal.measures.of(call.id) for call in calls}
        return await asyncio.to_thread(_by_figures, rule, calls, figures)


def _by_lines(rule: Rule, calls: Sequence[Call], said: dict[str, tuple[Line, ...]]) -> tuple[list[Match], int]:
    found = ((call, said_first(rule, said[call.id])) for call in calls)
    return [Match(call=call, said=quote(line.text)) for call, line in found if line], sum(bool(lines) for lines in said.values())


def _by_figures(rule: Rule, calls: Sequence[Call], stored: dict[str, str]) -> tuple[list[Match], int]:
    matches, judged = [], 0
    for call in calls:
        if stored[call.id]:
            judged += 1
            amount = exceeded(rule, Measured.load(stored[call.id]).figures)
            if amount is not None:
                matches.append(Match(call=call, amount=round(amount, 3)))
    return matches, judged
