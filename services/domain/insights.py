"""Calls in numbers: how many, answered, how long, for how much; by day, by outcome, by who spoke and from which number. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from services.domain.rule import Rule

ENOUGH = 20
"""Attempts from which on a rate is given. Of fewer, one call more or less moves it by over 5 percentage points."""
ENOUGH_MEASURED = 5
"""Fewest measured calls for which a typical response time and interruptions per call are shown. With fewer, one bad call would look
typical."""
LONGEST_DAYS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The numbers of some calls. `calls` are all that began or ended. `attempts` are the outgoing ones that ended and were not cancelled,
    `answered` those of them that were answered. `talk_ms` counts from the answer to the end, of all calls. `cost` in US dollars is that
    of the `priced` calls: Vapi gives it after the end.

    Of the `measured` calls' conversations: `response_ms` adds up the assistant's median response times in those `timed` calls in which it
    answered anything; `interrupted` is how often the assistant interrupted the customer, `barged_in` how often the customer the assistant.
    """

    calls: int = 0
    attempts: int = 0
    answered: int = 0
    talk_ms: int = 0
    cost: float = 0.0
    priced: int = 0
    measured: int = 0
    timed: int = 0
    response_ms: int = 0
    interrupted: int = 0
    barged_in: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})

    @property
    def answer_rate(self) -> float | None:
        """The share of the attempts that were answered, from 0 to 1; None if there are too few to tell."""
        return self.answered / self.attempts if self.attempts >= ENOUGH else None

    @property
    def response_s(self) -> float | None:
        """The mean of the assistant's median response time in each call, in seconds; None if too few calls were measured."""
        return self.response_ms / self.timed / 1000 if self.timed >= ENOUGH_MEASURED else None

    @property
    def interruptions(self) -> tuple[float, float] | None:
        """Mean interruptions per call, by the customer and by the assistant; None if too few calls were measured."""
        return (self.barged_in / self.measured, self.interrupted / self.measured) if self.measured >= ENOUGH_MEASURED else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Whole days, from `first` to `last`, in one time zone."""

    first: date
    last: date
    zone: tzinfo

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def before(self) -> "Period":
        """As many days, just before these."""
        length = timedelta(days=self.days)
        return Period(first=self.first - length, last=self.last - length, zone=self.zone)

    def midnights(self) -> list[datetime]:
        """When each day begins, and when the last one ends, in UTC."""
        days = (self.first + timedelta(days=number) for number in range(self.days + 1))
        return [datetime.combine(day, time(), self.zone).astimezone(UTC) for day in days]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """`outcomes` has the number of calls by the family of their end, and `active` ones; `alerted` calls have an alert."""

    day: date
    tally: Tally
    alerted: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Insights:
    """The calls of a period in numbers. `speakers` are by the id of the assistant or squad, `callers` by that of the caller ID; both are
    empty for calls without one. `rules` has the number of calls that each rule gave an alert of. The largest come first.
    """

    days: tuple[Day, ...]
    total: Tally
    speakers: Mapping[str, Tally]
    callers: Mapping[str, Tally]
    rules: tuple[tuple[Rule, int], ...] = ()

    @property
    def alerted(self) -> int:
        """The calls with alerts."""
        return sum(day.alerted for day in self.days)
