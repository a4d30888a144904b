"""When a call may begin, and which times make no sense."""

from datetime import UTC, datetime, timedelta

import pytest

from services.domain.errors import RequestError
from services.domain.schedule import Schedule, moved, schedule

NOW = datetime(2026, 9, 1, 10, tzinfo=UTC)
PAST, SOON, LATER, FAR = (NOW + timedelta(days=days) for days in (-1, 1, 2, 31))


@pytest.mark.parametrize(
    ("earliest", "latest", "expected"),
    [
        (None, None, Schedule()),
        (SOON, None, Schedule(earliest_at=SOON)),
        (SOON, LATER, Schedule(earliest_at=SOON, latest_at=LATER)),
        (SOON, SOON, Schedule(earliest_at=SOON, latest_at=SOON)),
        (PAST, None, Schedule()),
        (PAST, LATER, Schedule()),
    ],
)
def test_a_schedule(earliest: datetime | None, latest: datetime | None, expected: Schedule) -> None:
    assert schedule(earliest, latest, now=NOW) == expected


@pytest.mark.parametrize(
    ("earliest", "latest", "field"),
    [(FAR, None, "earliestAt"), (SOON, FAR, "latestAt"), (None, LATER, "latestAt"), (LATER, SOON, "latestAt"), (PAST, PAST, "latestAt")],
)
def test_times_that_make_no_sense(earliest: datetime | None, latest: datetime | None, field: str) -> None:
    with pytest.raises(RequestError) as refused:
        schedule(earliest, latest, now=NOW)
    assert [error.field for error in refused.value.errors] == [field]


def test_a_call_is_moved_into_the_future_only() -> None:
    assert moved(SOON, LATER, now=NOW) == (SOON, LATER)
    with pytest.raises(RequestError, match="passed"):
        moved(PAST, LATER, now=NOW)
