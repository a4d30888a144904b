"""The routes that stop dialling and end all calls."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictStr

from services.desk.ending.end_all import CallEnder, end_all
from services.desk.ending.stopping import resume_dialling, stop_dialling
from services.dialling.switch import Switch
from services.domain.client import Scope
from services.support.rfc3339 import rfc3339
from services.web.access.current_client import client_of
from services.web.problems import PROBLEMS


class StopRequest(BaseModel):
    """A body is not needed."""

    model_config = ConfigDict(extra="forbid")

    reason: StrictStr = Field(default="", max_length=200, description="Why, for those who find dialling stopped")


class DiallingAnswer(BaseModel):
    """Whether calls may be placed; `since`, `by` and `reason` are null while they may."""

    allowed: bool
    since: str | None
    by: str | None
    reason: str | None


class UnconfirmedAnswer(BaseModel):
    id: str
    detail: str = Field(description="Why it is not known to have ended, in plain words")


class EndAllAnswer(BaseModel):
    """The outcome of ending all calls. `ended` are call ids."""

    ended: list[str]
    unconfirmed: list[UnconfirmedAnswer]


def switch_router(*, switch: Switch, desk: CallEnder) -> APIRouter:
    """`GET /api/dialling`, `POST /api/dialling/stop` and `/resume`, `POST /api/calls/end-all`."""
    router = APIRouter(responses=PROBLEMS)

    @router.get("/api/dialling", response_model=DiallingAnswer, summary="Whether dialling is allowed")
    async def dialling(request: Request) -> JSONResponse:
        """Whether calls may be placed, and if not, who stopped it, when and why."""
        client_of(request, Scope.READ)
        return _answer(switch)

    @router.post("/api/dialling/stop", response_model=DiallingAnswer, summary="Stop all dialling")
    async def stop(request: Request, body: StopRequest | None = None) -> JSONResponse:
        """From now on every dial is refused with 503 `stopped`, also after a restart. Active calls continue."""
        await stop_dialling(switch, client_of(request, Scope.CONTROL, Scope.MANAGE), body.reason if body else "")
        return _answer(switch)

    @router.post("/api/dialling/resume", response_model=DiallingAnswer, summary="Allow dialling again")
    async def resume(request: Request) -> JSONResponse:
        """Allows dialling again, whoever stopped it. Needs the scope `manage`, so that a token for steering can't lift the owner's stop."""
        await resume_dialling(switch, client_of(request, Scope.MANAGE))
        return _answer(switch)

    @router.post("/api/calls/end-all", response_model=EndAllAnswer, summary="End all active calls")
    async def end_all_calls(request: Request) -> JSONResponse:
        """Stops dialling, then ends all calls at once and cancels scheduled ones. `unconfirmed` may still be running: Vapi has not
        confirmed their end, or they are being dialled. Earshot goes on hanging up. Dialling stays stopped until it is resumed."""
        outcome = await end_all(desk, switch, client_of(request, Scope.CONTROL))
        return JSONResponse(
            {
                "ended": [call.id for call in outcome.ended],
                "unconfirmed": [{"id": call.id, "detail": detail} for call, detail in outcome.unconfirmed],
            }
        )

    return router


def _answer(switch: Switch) -> JSONResponse:
    stop = switch.state
    return JSONResponse(
        {
            "allowed": stop is None,
            "since": rfc3339(stop.since) if stop else None,
            "by": stop.by if stop else None,
            "reason": stop.reason if stop else None,
        }
    )
