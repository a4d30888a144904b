"""Numbers and days as the page's language writes them."""

from datetime import date

from services.domain.insights import Period, Tally
from ui.words import dollars, locale, say


def day_name(day: date, *, year: bool = False) -> str:
    """`Sep 1`, or with its year."""
    from babel.dates import format_skeleton  # only this page needs it

    return str(format_skeleton("yMMMd" if year else "MMMd", day, locale=locale()))


def days_name(period: Period) -> str:
    """`Sep 1 to Sep 28`; a single day is named once, and years where there are two."""
    if period.days == 1:
        return day_name(period.first)
    year = period.first.year != period.last.year
    return say("insights_from_to", first=day_name(period.first, year=year), last=day_name(period.last, year=year))


def number(value: float, *, digits: int = 0) -> str:
    from babel.numbers import format_decimal

    return str(format_decimal(round(value, digits), format=f"#,##0.{'#' * digits}" if digits else "#,##0", locale=locale()))


def rate(tally: Tally) -> str:
    """`52 %`, or a dash if there are too few calls to tell."""
    from babel.numbers import format_percent

    return "–" if tally.answer_rate is None else str(format_percent(tally.answer_rate, locale=locale()))


def cost(tally: Tally) -> str:
    """The cost, a dash if none is known."""
    return dollars(tally.cost) if tally.priced else "–"


def response(tally: Tally) -> str:
    """`1.2 s`, or a dash if there are too few calls to tell."""
    return "–" if tally.response_s is None else say("insights_seconds", seconds=number(tally.response_s, digits=1))


def interruptions(tally: Tally) -> str:
    """How many there are in a call, by both sides together, or a dash."""
    return "–" if tally.interruptions is None else number(sum(tally.interruptions), digits=1)


def answered(tally: Tally) -> str:
    """`12 of 20`"""
    return of(tally.answered, tally.attempts)


def of(some: int, all_: int) -> str:
    return say("insights_of", some=number(some), all=number(all_))


def minutes(tally: Tally) -> str:
    return number(tally.talk_ms / 60_000, digits=1)
