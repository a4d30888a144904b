"""`GET /api/calls/{id}/measures`: how the conversation of a call goes, measured from its sound."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from services.desk.desk import CallDesk
from services.domain.client import Scope
from services.domain.errors import NotMeasured
from services.web.access.current_client import client_of
from services.web.answers import MeasuresAnswer
from services.web.problems import PROBLEMS


class SpanAnswer(BaseModel):
    start: float
    end: float


class BackchannelAnswer(SpanAnswer):
    """ "Mhm" while the other goes on speaking: no turn."""

    speaker: str = Field(description="`customer` or `assistant`")


class TurnAnswer(SpanAnswer):
    speaker: str = Field(description="`customer` or `assistant`")
    responseSeconds: float | None = Field(
        description="From the end of the other's turn; null after an interruption, a pause of one's own or lost sound"
    )
    interrupts: bool = Field(description="It began over the other's turn, which ended because of it")


class ClippedAnswer(BaseModel):
    """Seconds of samples at full scale."""

    customer: float
    assistant: float


class AllMeasuresAnswer(MeasuresAnswer):
    turns: list[TurnAnswer]
    backchannels: list[BackchannelAnswer]
    silences: list[SpanAnswer] = Field(description="3 s or more in which nobody spoke")
    missing: list[SpanAnswer] = Field(description="Of which the sound was lost")
    clippedSeconds: ClippedAnswer


def measures_router(desk: CallDesk) -> APIRouter:
    """The route."""
    router = APIRouter(responses=PROBLEMS)

    @router.get("/api/calls/{call_id}/measures", response_model=AllMeasuresAnswer, summary="How a call's conversation goes")
    async def measures(request: Request, call_id: str) -> JSONResponse:
        """Turns, response times, interruptions and silences, live and after the call. Times are seconds of the call's sound."""
        call = await desk.read(call_id, client_of(request, Scope.READ))
        measured = None if call.erasure else await desk.measurements.of(call.id)
        if measured is None:
            raise NotMeasured("Nothing has been measured of this call: it was not placed here, or no sound has come.")
        return JSONResponse(measured.json())

    return router
