"""The filters and cursors of the call list and its export."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import StringConstraints

from services.domain.annotation import LONGEST_LABEL
from services.domain.call import Call, CallStatus
from services.vapi.ended_reasons import Family
from services.web.requests import PLAIN, Time

Label = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_LABEL, pattern=PLAIN)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
CURSOR = r"^[0-9]{1,13}\.[A-Za-z0-9_-]{1,64}$"
"""A position in the list: the creation time of a call in milliseconds since 1970, and its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilters:
    """The filters of the desk's `page_of_calls`. None: no filter."""

    statuses: Collection[CallStatus] | None
    families: Collection[Family] | None
    created_from: datetime | None
    created_to: datetime | None
    search: str | None
    tags: Collection[str] | None
    dispositions: Collection[str] | None
    speakers: Collection[str] | None
    callers: Collection[str] | None
    rules: Collection[str] | None

    def arguments(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def call_filters(
    status: Annotated[list[CallStatus] | None, Query(description="Only calls in these states; repeat it for several")] = None,
    family: Annotated[list[Family] | None, Query(description="Only calls that ended like this; repeat it for several")] = None,
    from_: Annotated[Time | None, Query(alias="from", description="Only calls created at this time or later")] = None,
    to: Annotated[Time | None, Query(description="Only calls created before this time")] = None,
    search: Annotated[
        str | None,
        Query(
            max_length=200,
            pattern=PLAIN,
            description="Part of a number, of a name, of the summary, of what was said or of a note, in either case",
        ),
    ] = None,
    tag: Annotated[list[Label] | None, Query(description="Only calls with this tag; repeat it for several")] = None,
    disposition: Annotated[list[Label] | None, Query(description="Only calls with this disposition; repeat it for several")] = None,
    assistant: Annotated[list[Id] | None, Query(description="Only calls of this assistant or squad; repeat it for several")] = None,
    callerId: Annotated[list[Id] | None, Query(description="Only calls from this caller ID; repeat it for several")] = None,
    alert: Annotated[
        list[Id] | None, Query(description="Only calls of which this rule gave an alert, or with `any` whichever; repeat it for several")
    ] = None,
) -> CallFilters:
    """The filters of a request."""
    return CallFilters(
        statuses=status,
        families=family,
        created_from=from_,
        created_to=to,
        search=search,
        tags=tag,
        dispositions=disposition,
        speakers=assistant,
        callers=callerId,
        rules=alert,
    )


def cursor_of(call: Call) -> str:
    """The cursor of a call."""
    created = call.created_at or datetime.fromtimestamp(0, UTC)
    return f"{int(1000 * created.timestamp())}.{call.id}"


def read_cursor(text: str | None) -> tuple[datetime, str] | None:
    """The creation time and id of a cursor's call."""
    if text is None:
        return None
    milliseconds, _, call_id = text.partition(".")
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC), call_id
