"""The routes of the block list."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictStr

from services.desk.desk import CallDesk
from services.desk.ending.stopping import require_stopping
from services.domain.client import Scope
from services.web.access.current_client import client_of
from services.web.problems import PROBLEMS, allow_only
from services.web.requests import PLAIN

_MOST = 50  # characters of a rule, however it is written


class BlockRequest(BaseModel):
    """`{"rule": "+14155552671"}`, or `+1900*` for all numbers that begin with +1900."""

    model_config = ConfigDict(extra="forbid")

    rule: StrictStr = Field(max_length=_MOST, description="A number with + and the country code, or the beginning of one with *")


class BlockListAnswer(BaseModel):
    """The numbers and prefixes that are never called."""

    rules: list[str]


def block_list_router(desk: CallDesk) -> APIRouter:
    """`/api/dialling/blocked`: GET, POST and DELETE. A change binds every process at its next dial."""
    router = APIRouter(responses=PROBLEMS)
    path = "/api/dialling/blocked"

    def answer() -> JSONResponse:
        return JSONResponse({"rules": list(desk.blocked.rules)})

    @router.get(path, response_model=BlockListAnswer, summary="The block list")
    async def rules(request: Request) -> JSONResponse:
        """All numbers and prefixes that are never called."""
        client_of(request, Scope.READ)
        return answer()

    @router.post(path, response_model=BlockListAnswer, summary="Block a number")
    async def block(request: Request, body: BlockRequest) -> JSONResponse:
        """From now on no call or transfer goes there. Active calls continue."""
        client = client_of(request, Scope.CONTROL, Scope.MANAGE)
        require_stopping(client)
        if await desk.blocked.add(body.rule):
            await desk.note(client, "block", outcome="done", detail=body.rule)
        return answer()

    @router.delete(path, response_model=BlockListAnswer, summary="Allow a blocked number again")
    async def allow(request: Request, rule: Annotated[str, Query(max_length=_MOST, pattern=PLAIN)] = "") -> JSONResponse:
        """Answers with what is still blocked, also if the number was not."""
        client = client_of(request, Scope.MANAGE)
        if await desk.blocked.remove(rule):
            await desk.note(client, "unblock", outcome="done", detail=rule)
        return answer()

    allow_only(router, path, "GET", "POST", "DELETE")
    return router
