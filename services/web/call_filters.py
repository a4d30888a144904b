"""Which calls a list or an export is asked for."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query

from services.domain.call import Call, CallStatus
from services.vapi.ended_reasons import Family
from services.web.requests import Time

CURSOR = r"^[0-9]{1,13}\.[A-Za-z0-9_-]{1,64}$"
"""When a call was created, in milliseconds since 1970, and its id: whatever looks like that is a place in the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilters:
    """Filters as the desk's `page_of_calls` takes them. None: all calls."""

    statuses: Collection[CallStatus] | None
    families: Collection[Family] | None
    created_from: datetime | None
    created_to: datetime | None
    search: str | None

    def wishes(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def call_filters(
    status: Annotated[list[CallStatus] | None, Query(description="Only calls in these states; repeat it for several")] = None,
    family: Annotated[list[Family] | None, Query(description="Only calls that ended like this; repeat it for several")] = None,
    from_: Annotated[Time | None, Query(alias="from", description="Only calls created at this time or later")] = None,
    to: Annotated[Time | None, Query(description="Only calls created before this time")] = None,
    search: Annotated[
        str | None, Query(max_length=200, description="Part of a number, of a name, of the summary or of what was said, in either case")
    ] = None,
) -> CallFilters:
    """The filters of a request."""
    return CallFilters(statuses=status, families=family, created_from=from_, created_to=to, search=search)


def cursor_of(call: Call) -> str:
    """The place of a call in the list."""
    created = call.created_at or datetime.fromtimestamp(0, UTC)
    return f"{int(1000 * created.timestamp())}.{call.id}"


def read_cursor(text: str | None) -> tuple[datetime, str] | None:
    """Time and id of the call that a cursor stands for."""
    if text is None:
        return None
    milliseconds, _, call_id = text.partition(".")
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC), call_id
