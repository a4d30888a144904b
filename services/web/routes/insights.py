"""`GET /api/insights` and `/api/insights.csv`, and `/insights.csv` for the page: calls in numbers."""

import csv
import io
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from services.desk.desk import CallDesk
from services.desk.insights import read_insights
from services.domain.errors import FieldError, RequestError
from services.domain.insights import ENOUGH, ENOUGH_MEASURED, LONGEST_DAYS, Insights, Period, Tally
from services.domain.rule import Rule, RuleKind, RuleSpeaker
from services.web.access.current_client import client_for_reports
from services.web.at_once import AtOnce
from services.web.problems import PROBLEMS
from services.web.routes.export import safe
from services.web.routes.recordings import ProblemRoute

_DEFAULT_DAYS = 28
_AT_ONCE = 2  # of one client: of a long journal each takes a third of a second, for which other reads wait on SQLite
_ID = r"^[A-Za-z0-9_-]{0,64}$"
Day = Annotated[date, Field(ge=date(1971, 1, 1), le=date(9000, 12, 31))]
_COLUMNS = (
    *("day", "calls", "attempts", "answered", "answerRate", "minutes", "cost"),
    *("measured", "responseSeconds", "interruptionsByCustomer", "interruptionsByAssistant", "alerted"),
)


class TallyAnswer(BaseModel):
    """The numbers of some calls."""

    calls: int = Field(description="All that began or ended")
    attempts: int = Field(description="Outgoing calls that ended and were not cancelled")
    answered: int = Field(description="Those of the attempts that were answered")
    answerRate: float | None = Field(description=f"From 0 to 1; null for fewer than {ENOUGH} attempts")
    minutes: float = Field(description="From the answer to the end, of all calls")
    cost: float = Field(description="US dollars, of the calls whose cost is known")
    priced: int = Field(description="How many calls have a known cost")
    measured: int = Field(description="How many calls' conversations were measured")
    responseSeconds: float | None = Field(
        description=f"The mean of the calls' median response times of the assistant; null for fewer than {ENOUGH_MEASURED} calls"
    )
    interruptionsByCustomer: int = Field(description="In all measured calls")
    interruptionsByAssistant: int


class DayAnswer(TallyAnswer):
    day: date
    alerted: int = Field(description="Calls with alerts")
    outcomes: dict[str, int] = Field(description="Calls by how they ended, as `family` of the list of calls; `active`: not yet")


class SideAnswer(TallyAnswer):
    id: str = Field(description="Empty for calls without one")
    name: str


class RuleTallyAnswer(BaseModel):
    """A rule as it was when it gave one of its alerts."""

    id: str
    kind: RuleKind
    phrase: str
    speaker: RuleSpeaker
    above: float | None
    calls: int = Field(description="Calls of which it gave an alert: `GET /api/calls?alert=` with its id lists them")


class InsightsAnswer(BaseModel):
    first: date
    last: date
    zone: str
    total: TallyAnswer
    days: list[DayAnswer]
    assistants: list[SideAnswer] = Field(description="By assistant or squad, the largest first")
    callerIds: list[SideAnswer]
    alerted: int = Field(description="Calls with alerts")
    rules: list[RuleTallyAnswer] = Field(description="The rules that gave alerts, the one of most calls first")


class _Asked(BaseModel):
    period: Period
    zone: str
    speaker: str | None
    caller: str | None

    model_config = {"arbitrary_types_allowed": True}


_Read = Callable[[Request, _Asked], Awaitable[Insights]]


def _asked(
    first: Annotated[Day | None, Query(alias="from", description="The first day, such as 2026-11-01")] = None,
    last: Annotated[Day | None, Query(alias="to", description="The last day; by default today")] = None,
    zone: Annotated[str, Query(max_length=64, description="Where days begin at midnight, such as `Europe/Berlin`")] = "UTC",
    assistant: Annotated[str | None, Query(pattern=_ID, description="Only calls of this assistant or squad")] = None,
    callerId: Annotated[str | None, Query(pattern=_ID, description="Only calls from this caller ID")] = None,
) -> _Asked:
    where = zone_of(zone)
    last = last or (first + timedelta(days=_DEFAULT_DAYS - 1) if first else datetime.now(where).date())
    first = first or last - timedelta(days=_DEFAULT_DAYS - 1)
    return _Asked(period=period_of(first, last, where), zone=zone, speaker=assistant, caller=callerId)


def zone_of(name: str) -> ZoneInfo:
    """Raises RequestError for a time zone that is not known here."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise RequestError("There is no such time zone.", errors=[FieldError("zone", "A name such as Europe/Berlin.")]) from None


def period_of(first: date, last: date, zone: ZoneInfo) -> Period:
    """Raises RequestError if it ends before it begins, or is too long."""
    if not 0 <= (last - first).days < LONGEST_DAYS:
        raise RequestError("These are not days to count.", errors=[FieldError("to", f"At most {LONGEST_DAYS} days, the last one last.")])
    return Period(first=first, last=last, zone=zone)


def insights_router(desk: CallDesk) -> APIRouter:
    """The routes."""
    router = APIRouter(responses=PROBLEMS)
    read = _reader(desk)

    @router.get("/api/insights", response_model=InsightsAnswer, summary="Calls in numbers")
    async def insights(request: Request, asked: Annotated[_Asked, Depends(_asked)]) -> JSONResponse:
        """By day, assistant, caller ID and rule. Scheduled calls and those of unknown outcome are not counted."""
        counted = await read(request, asked)
        directory = desk.directory
        names = {speaker: directory.name_of(speaker) for speaker in (*directory.squads, *directory.assistants)}
        return JSONResponse(
            {
                "first": asked.period.first.isoformat(),
                "last": asked.period.last.isoformat(),
                "zone": asked.zone,
                "total": _tally(counted.total),
                "days": [
                    {"day": day.day.isoformat(), **_tally(day.tally), "alerted": day.alerted, "outcomes": dict(day.outcomes)}
                    for day in counted.days
                ],
                "assistants": [{"id": id_, "name": names.get(id_, ""), **_tally(tally)} for id_, tally in counted.speakers.items()],
                "callerIds": [
                    {"id": id_, "name": directory.caller_id_name(id_), **_tally(tally)} for id_, tally in counted.callers.items()
                ],
                "alerted": counted.alerted,
                "rules": [_rule(rule, calls) for rule, calls in counted.rules],
            }
        )

    return _add_export(router, "/api/insights.csv", read)


def page_insights_router(desk: CallDesk) -> APIRouter:
    """`/insights.csv`: the same for the page, with the page's own authentication."""
    return _add_export(APIRouter(route_class=ProblemRoute, include_in_schema=False), "/insights.csv", _reader(desk))


def _reader(desk: CallDesk) -> _Read:
    counting = AtOnce(_AT_ONCE, "counts of calls")

    async def read(request: Request, asked: _Asked) -> Insights:
        with counting.one(client_for_reports(request)):
            return await read_insights(desk.journal, asked.period, speaker=asked.speaker, caller=asked.caller)

    return read


def _add_export(router: APIRouter, path: str, read: _Read) -> APIRouter:
    @router.get(path, summary="Calls in numbers as CSV", response_class=Response, responses=_CSV)
    async def export(request: Request, asked: Annotated[_Asked, Depends(_asked)]) -> Response:
        """A row per day, with a column per outcome."""
        counted = await read(request, asked)
        outcomes = sorted({name for day in counted.days for name in day.outcomes})
        text = io.StringIO()
        table = csv.writer(text)
        table.writerow([*_COLUMNS, *outcomes])
        for day in counted.days:
            tally = {**_tally(day.tally), "alerted": day.alerted}
            row = [day.day.isoformat(), *(tally[name] for name in _COLUMNS[1:]), *(day.outcomes.get(name, 0) for name in outcomes)]
            table.writerow([safe(cell) for cell in row])
        headers = {"Content-Disposition": 'attachment; filename="insights.csv"', "Cache-Control": "no-store"}
        return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)

    return router


def _rule(rule: Rule, calls: int) -> dict[str, Any]:
    above = None if rule.kind is RuleKind.KEYWORD else rule.above
    return {"id": rule.id, "kind": rule.kind.value, "phrase": rule.phrase, "speaker": rule.speaker.value, "above": above, "calls": calls}


def _tally(tally: Tally) -> dict[str, Any]:
    rate = tally.answer_rate
    return {
        "calls": tally.calls,
        "attempts": tally.attempts,
        "answered": tally.answered,
        "answerRate": None if rate is None else round(rate, 4),
        "minutes": round(tally.talk_ms / 60_000, 2),
        "cost": round(tally.cost, 4),
        "priced": tally.priced,
        "measured": tally.measured,
        "responseSeconds": None if tally.response_s is None else round(tally.response_s, 3),
        "interruptionsByCustomer": tally.barged_in,
        "interruptionsByAssistant": tally.interrupted,
    }


_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}}, "description": "UTF-8 with a byte order mark"}}
