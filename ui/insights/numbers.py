"""Numbers and days as the page's language writes them."""

from datetime import date

from services.domain.insights import Tally
from ui.words import dollars, locale, say


def day_name(day: date) -> str:
    """`Sep 1`"""
    from babel.dates import format_skeleton  # only this page needs it

    return str(format_skeleton("MMMd", day, locale=locale()))


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


def answered(tally: Tally) -> str:
    """`12 of 20`"""
    return say("insights_of", some=number(tally.answered), all=number(tally.attempts))


def minutes(tally: Tally) -> str:
    return number(tally.talk_ms / 60_000, digits=1)
