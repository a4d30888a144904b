"""How the insights page writes days and figures."""

from datetime import UTC, date

import pytest

from services.domain.insights import Period, Tally
from ui.insights.numbers import days_name, interruptions, response


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (date(2026, 9, 1), date(2026, 9, 1), "Sep 1"),
        (date(2026, 9, 1), date(2026, 9, 28), "Sep 1 to Sep 28"),
        (date(2025, 9, 2), date(2026, 9, 1), "Sep 2, 2025 to Sep 1, 2026"),
    ],
)
def test_days_have_a_name(first: date, last: date, said: str) -> None:
    assert days_name(Period(first=first, last=last, zone=UTC)) == said


def test_figures_of_few_calls_are_a_dash() -> None:
    few = Tally(measured=4, timed=4, response_ms=4000, interrupted=4)
    assert (response(few), interruptions(few)) == ("–", "–")
    more = few + Tally(measured=4, timed=4, response_ms=6200, barged_in=7)
    assert (response(more), interruptions(more)) == ("1.3 s", "1.4")
