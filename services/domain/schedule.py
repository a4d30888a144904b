"""When a call may begin. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.domain.errors import FieldError, RequestError

FURTHEST = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """From when and by when a call begins, UTC; both None for now."""

    earliest_at: datetime | None = None
    latest_at: datetime | None = None


def schedule(earliest: datetime | None, latest: datetime | None, *, now: datetime) -> Schedule:
    """The schedule that was asked for. An earliest time that has passed is now. Raises RequestError for times that make no sense."""
    for name, time in (("earliestAt", earliest), ("latestAt", latest)):
        if time and time > now + FURTHEST:
            raise _wrong(name, f"At most {FURTHEST.days} days ahead.")
    if latest and earliest is None:
        raise _wrong("latestAt", "Send earliestAt too: only a scheduled call has a latest time.")
    if latest and earliest and latest < earliest:
        raise _wrong("latestAt", "This is before earliestAt.")
    if latest and latest <= now:
        raise _wrong("latestAt", "This time has passed.")
    return Schedule(earliest_at=earliest, latest_at=latest) if earliest and earliest > now else Schedule()


def moved(earliest: datetime | None, latest: datetime | None, *, now: datetime) -> tuple[datetime, datetime | None]:
    """The times that a scheduled call is moved to. Raises RequestError as `schedule` does, and for a time that has passed."""
    found = schedule(earliest, latest, now=now)
    if found.earliest_at is None:
        raise _wrong("earliestAt", "This time has passed.")
    return found.earliest_at, found.latest_at


def _wrong(field: str, detail: str) -> RequestError:
    return RequestError(f"{field}: {detail}", errors=[FieldError(field, detail)])
