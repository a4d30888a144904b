"""Calls in numbers, from the journal."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta

from services.domain.alert import load
from services.domain.insights import Day, Insights, Period, Tally
from services.domain.rule import Rule
from services.journal import Journal
from services.journal.tables.insights import Alerted, Group
from services.vapi.ended_reasons import Family, family_of

ACTIVE = "active"
"""The outcome of a call that has not ended."""


async def read_insights(journal: Journal, period: Period, *, speaker: str | None = None, caller: str | None = None) -> Insights:
    """The calls of the period: of one assistant or squad or of all, from one caller ID or from all. Raises JournalError."""
    midnights = period.midnights()
    by_day, by_sides = await journal.insights.count(midnights, speaker=speaker, caller=caller)
    alerted = await journal.insights.count_alerted(midnights, speaker=speaker, caller=caller)
    tallies: dict[int, Tally] = {}
    outcomes: dict[int, Counter[str]] = {}
    for group in by_day:
        number = group.day or 0
        tallies[number] = tallies.get(number, Tally()) + _tally(group)
        outcomes.setdefault(number, Counter())[_outcome(group)] += group.calls
    days = tuple(
        Day(
            day=period.first + timedelta(days=number),
            tally=tallies.get(number, Tally()),
            outcomes=dict(outcomes.get(number, {})),
            alerted=alerted.days.get(number, 0),
        )
        for number in range(period.days)
    )
    return Insights(
        days=days,
        total=sum(tallies.values(), Tally()),
        speakers=_summed((group.speaker, _tally(group)) for group in by_sides),
        callers=_summed((group.caller, _tally(group)) for group in by_sides),
        rules=_rules(alerted),
    )


def _rules(alerted: Alerted) -> tuple[tuple[Rule, int], ...]:
    """Without rules of a newer version, which this one can't name."""
    read = [(load("", data), calls) for _, calls, data in sorted(alerted.rules, key=lambda one: (-one[1], one[0]))]
    return tuple((alert.rule, calls) for alert, calls in read if alert)


def _outcome(group: Group) -> str:
    return family_of(group.ended_reason or None).value if group.ended else ACTIVE


def _tally(group: Group) -> Tally:
    counts = group.ended and group.outgoing and family_of(group.ended_reason or None) is not Family.CANCELLED
    return Tally(
        calls=group.calls,
        attempts=group.calls if counts else 0,
        answered=group.calls if counts and group.answered else 0,
        talk_ms=group.talk_ms,
        cost=group.cost,
        priced=group.priced,
        measured=group.measured,
        timed=group.timed,
        response_ms=group.response_ms,
        interrupted=group.interrupted,
        barged_in=group.barged_in,
    )


def _summed(tallies: Iterable[tuple[str, Tally]]) -> Mapping[str, Tally]:
    sums: dict[str, Tally] = {}
    for name, tally in tallies:
        sums[name] = sums.get(name, Tally()) + tally
    return dict(sorted(sums.items(), key=lambda item: -item[1].calls))
