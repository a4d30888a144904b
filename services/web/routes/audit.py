"""`GET /api/audit` and `/api/audit.csv`: who did what, by person and call."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from services.domain.client import Scope
from services.journal import AuditRow, Journal
from services.support.rfc3339 import rfc3339
from services.web.access.current_client import client_of
from services.web.problems import PROBLEMS, allow_only
from services.web.requests import PLAIN
from services.web.routes.export import BOM, csv_rows
from services.web.routes.recordings import ProblemRoute

COLUMNS = ("at", "who", "action", "callId", "to", "outcome", "detail", "words")
_PAGE = 500  # rows read at once

Who = Annotated[str | None, Query(max_length=100, pattern=PLAIN, description="The name of a person or token; `page`: nobody with a name")]
CallId = Annotated[str | None, Query(alias="callId", max_length=64, pattern=PLAIN)]


class AuditEntry(BaseModel):
    id: int
    at: datetime
    who: str
    action: str
    callId: str | None
    to: str | None = Field(description="The number or address that the call is with")
    outcome: str = Field(description="`done`, the call's status, or the code of the problem for which it was refused")
    detail: str
    words: str = Field(description="Why it was refused; else empty")


class AuditAnswer(BaseModel):
    entries: list[AuditEntry] = Field(description="Newest first")
    next: int | None = Field(description="`before` of the next page; null if this is the last")


def audit_router(journal: Journal) -> APIRouter:
    """The routes. They need the scope `manage`."""
    router = APIRouter(responses=PROBLEMS)

    _add_list(router, "/api/audit", journal)
    _add_export(router, "/api/audit.csv", journal)
    for path in ("/api/audit", "/api/audit.csv"):
        allow_only(router, path, "GET")
    return router


def page_audit_router(journal: Journal) -> APIRouter:
    """`/audit.json` and `/audit.csv`: the same for the page, with the page's own authentication."""
    router = APIRouter(route_class=ProblemRoute, include_in_schema=False)
    _add_list(router, "/audit.json", journal)
    _add_export(router, "/audit.csv", journal)
    return router


def _add_list(router: APIRouter, path: str, journal: Journal) -> None:
    @router.get(path, response_model=AuditAnswer, summary="Who did what")
    async def audit(
        request: Request,
        who: Who = None,
        call_id: CallId = None,
        before: Annotated[int | None, Query(ge=1, le=2**53, description="Entries older than this one")] = None,
        limit: Annotated[int, Query(ge=1, le=_PAGE)] = 100,
    ) -> JSONResponse:
        """Of the last 400 days, by everybody or by one, on all calls or on one."""
        client_of(request, Scope.MANAGE)
        found = await journal.audit_page(who=who, call_id=call_id, before=before, limit=limit)
        entries = [{"id": id_, **dict(zip(COLUMNS, _cells(row), strict=True))} for id_, row in found]
        return JSONResponse({"entries": entries, "next": found[-1][0] if len(found) == limit else None})


def _add_export(router: APIRouter, path: str, journal: Journal) -> None:
    @router.get(path, summary="Who did what as CSV", response_class=StreamingResponse, responses=_RESPONSES)
    async def export(request: Request, who: Who = None, call_id: CallId = None) -> StreamingResponse:
        """All entries that match, newest first. Cells that a spreadsheet would run as a formula begin with `'`."""
        client_of(request, Scope.MANAGE)
        first = await journal.audit_page(who=who, call_id=call_id, before=None, limit=_PAGE)
        headers = {"Content-Disposition": 'attachment; filename="audit.csv"', "Cache-Control": "no-store"}
        return StreamingResponse(_lines(journal, who, call_id, first), media_type="text/csv; charset=utf-8", headers=headers)


async def _lines(journal: Journal, who: str | None, call_id: str | None, page: Sequence[tuple[int, AuditRow]]) -> AsyncIterator[str]:
    yield BOM + csv_rows([COLUMNS])
    while page:
        yield csv_rows([_cells(row) for _, row in page])
        if len(page) < _PAGE:
            return
        page = await journal.audit_page(who=who, call_id=call_id, before=page[-1][0], limit=_PAGE)


def _cells(row: AuditRow) -> Sequence[str | None]:
    return rfc3339(row.at), row.who, row.action, row.call_id, row.to, row.outcome, row.detail, row.words


_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": f"UTF-8 with a byte order mark; columns {', '.join(COLUMNS)}", "content": {"text/csv": {}}},
    **PROBLEMS,
}
