"""`GET /api/calls.csv`, and `/calls.csv` for the page: the list of calls for a spreadsheet, streamed page by page."""

import csv
import io
import re
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from services.desk.desk import CallDesk
from services.domain.alert import Alert
from services.domain.annotation import Annotations
from services.domain.call import Call
from services.domain.client import Scope
from services.domain.rule import RuleKind
from services.support.rfc3339 import rfc3339
from services.vapi.ended_reasons import why_ended
from services.web.access.current_client import client_for_reports
from services.web.answers import recording_path
from services.web.call_filters import CallFilters, call_filters
from services.web.problems import PROBLEMS
from services.web.routes.recordings import ProblemRoute

COLUMNS = (
    *("id", "status", "direction", "from", "to", "name", "assistant", "createdAt", "startedAt", "endedAt", "seconds", "cost"),
    *("endedReason", "endedReasonCode", "endedReasonFamily", "summary", "recordingUrl", "disposition", "tags", "notes"),
    *("placedBy", "alerts"),
)
_PAGE = 500  # calls read at once
BOM = "\ufeff"
"""Without a byte order mark Excel reads UTF-8 in the local code page."""


def export_router(desk: CallDesk) -> APIRouter:
    """The route."""
    return _add_export(APIRouter(), "/api/calls.csv", desk)


def page_export_router(desk: CallDesk) -> APIRouter:
    """The same for the page, with the page's own authentication."""
    return _add_export(APIRouter(route_class=ProblemRoute, include_in_schema=False), "/calls.csv", desk)


def _add_export(router: APIRouter, path: str, desk: CallDesk) -> APIRouter:
    @router.get(path, summary="Running and past calls as CSV", response_class=StreamingResponse, responses=_RESPONSES)
    async def export(request: Request, filters: Annotated[CallFilters, Depends(call_filters)]) -> StreamingResponse:
        """All calls that match the filters, newest first. Cells that a spreadsheet would run as a formula begin with `'`."""
        may_listen = Scope.LISTEN in client_for_reports(request).scopes
        first = await desk.page_of_calls(**filters.arguments(), limit=_PAGE)
        headers = {"Content-Disposition": 'attachment; filename="calls.csv"', "Cache-Control": "no-store"}
        return StreamingResponse(_lines(desk, filters, first, may_listen=may_listen), media_type="text/csv; charset=utf-8", headers=headers)

    return router


async def _lines(desk: CallDesk, filters: CallFilters, page: list[Call], *, may_listen: bool) -> AsyncIterator[str]:
    yield BOM + csv_rows([COLUMNS])
    while page:
        found = await desk.annotations.among(page)
        raised = await desk.journal.alerts.among([call.id for call in page])
        yield csv_rows(
            [
                (
                    *_cells(desk, call, may_listen=may_listen),
                    *_written(found.get(call.id, Annotations())),
                    *(call.placed_by, " | ".join(map(_alert, raised.get(call.id, ())))),
                )
                for call in page
            ]
        )
        last = page[-1]
        if len(page) < _PAGE or last.created_at is None:
            return
        page = await desk.page_of_calls(**filters.arguments(), before=(last.created_at, last.id), limit=_PAGE)


def _cells(desk: CallDesk, call: Call, *, may_listen: bool) -> Sequence[object]:
    reason = why_ended(call)
    caller, called = desk.directory.parties(call)
    return (
        *(call.id, call.status.value, call.type.value, caller, called, call.name),
        *(desk.directory.speaker_name(call) or call.squad_id or call.assistant_id,),
        *(rfc3339(call.created_at), rfc3339(call.started_at), rfc3339(call.ended_at), call.seconds, call.cost),
        *((reason.title, reason.code, reason.family.value) if reason else (None, None, None)),
        *(call.summary, recording_path(call) if may_listen else None),
    )


def _written(found: Annotations) -> Sequence[object]:
    """Disposition, tags, and notes with their moment in seconds."""
    notes = (note.text if note.moment_s is None else f"{note.moment_s:g} s: {note.text}" for note in found.notes)
    return found.disposition and found.disposition.text, " | ".join(tag.text for tag in found.tags), " | ".join(notes)


def _alert(alert: Alert) -> str:
    """The rule by its kind, with what it looks for, and what applied: `keyword refund: A refund, please.`, `silence above 10: 12.5`."""
    rule = alert.rule
    if rule.kind is RuleKind.KEYWORD:
        return f"{rule.kind.value} {rule.phrase}" + (f": {alert.said}" if alert.said else "")
    return f"{rule.kind.value} above {rule.above:g}" + ("" if alert.amount is None else f": {alert.amount:g}")


def csv_rows(rows: Sequence[Sequence[object]]) -> str:
    """Rows of a CSV file, with cells that no spreadsheet runs."""
    text = io.StringIO()
    # Made row by row: a list would be written in one step, in which no other thread runs, not even that of the sound.
    csv.writer(text).writerows([safe(cell) for cell in row] for row in rows)
    return text.getvalue()


_FORMULA = re.compile(r"(^[\t\r\n]?|[;\t\r\n])(?=[ \"']*[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""What would begin a formula: at the start of a cell, or in it behind what another program takes for the end of a cell or row. Many
countries separate by `;`, and such a program splits our quoted text too. `=`, `+`, `-` and `@` also in full width."""

_SEPARATOR = re.compile(r"[;\t\r\n]")


def safe(cell: object) -> object:
    """A cell that no spreadsheet runs, whether it separates by `,`, `;` or tab: an apostrophe stands before all that looks like a formula,
    an E.164 number too (OWASP, "CSV injection"). Numbers stay numbers."""
    if not isinstance(cell, str) or (cell[:1].isalnum() and not _SEPARATOR.search(cell)):  # the shorter test is for most cells
        return cell
    text = _FORMULA.sub(r"\1'", cell)
    return f"'{text}" if text.startswith(("\t", "\r", "\n")) else text


_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": f"UTF-8 with a byte order mark; columns {', '.join(COLUMNS)}", "content": {"text/csv": {}}},
    **PROBLEMS,
}
