"""`POST /api/numbers/erase`: deletes all that Earshot and Vapi have of one number."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from services.desk.desk import CallDesk
from services.desk.erasing.number_erasure import erase_number, known_of
from services.dialling.block_list import understood
from services.domain.client import Scope
from services.domain.errors import NumberError
from services.domain.phone_number import masked
from services.web.access.current_client import client_of
from services.web.problems import PROBLEMS

_LONGEST = 64


class EraseNumberRequest(BaseModel):
    """`{"number": "+14155552671"}`."""

    model_config = ConfigDict(extra="forbid")

    number: StrictStr = Field(min_length=1, max_length=_LONGEST, description="With + and the country code")
    dryRun: StrictBool = Field(default=False, description="Only says what would be deleted")


class NumberErasedAnswer(BaseModel):
    """What was deleted, or would be."""

    number: str = Field(description="Its last four digits")
    dryRun: bool
    calls: int = Field(description="Ended calls whose data was deleted, or would be")
    running: int = Field(description="Calls that run, are scheduled, or may yet be found: while there are any, nothing is deleted")
    failed: int = Field(description="Calls whose data could not be deleted. While there are any, the number stays in the audit: ask again")
    pending: int = Field(description="Calls of which Vapi has not confirmed the deletion yet. Earshot asks it again")
    blocked: bool = Field(description="The block list has the number and keeps it")


def numbers_router(desk: CallDesk) -> APIRouter:
    """The route."""
    router = APIRouter(responses=PROBLEMS)

    @router.post("/api/numbers/erase", response_model=NumberErasedAnswer, summary="Delete everything about one number")
    async def erase(request: Request, body: EraseNumberRequest) -> JSONResponse:
        """Deletes its contact and the data of all calls with it, here and at Vapi, and masks it in the audit and in texts of other calls.
        Times and costs stay. Backups of the journal, and other systems that got events, are not touched."""
        client = client_of(request, Scope.MANAGE)
        number = understood(body.number)
        if number is None or number.endswith("*"):
            raise NumberError("Write a number with + and the country code, like +14155552671.", field="number")
        answer: dict[str, Any] = {"number": masked(number), "dryRun": body.dryRun, "running": 0, "failed": 0, "pending": 0}
        if body.dryRun:
            known = await known_of(desk, number, client)
            return JSONResponse(answer | {"calls": known.calls, "running": known.running, "blocked": known.blocked})
        erased = await erase_number(desk, number, client)
        found = {"calls": erased.erased, "failed": erased.failed, "pending": erased.pending, "blocked": erased.blocked}
        return JSONResponse(answer | found)

    return router
