"""Times as programs exchange them: `2026-09-01T10:00:00.000Z`. Pure."""

from datetime import UTC, datetime
from typing import overload


@overload
def rfc3339(time: datetime) -> str: ...
@overload
def rfc3339(time: datetime | None) -> str | None: ...
def rfc3339(time: datetime | None) -> str | None:
    """The time in UTC, to the millisecond; None for None."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if time else None
