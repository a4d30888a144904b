"""The routes of the rules on recording."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictStr

from services.desk.desk import CallDesk
from services.domain.client import Scope
from services.domain.consent import SENTENCES, RecordingMode, checked
from services.web.access.current_client import client_of
from services.web.problems import PROBLEMS, allow_only

_Short = Annotated[StrictStr, Field(max_length=20)]


class RulesRequest(BaseModel):
    """`{"default": "allowed", "regions": {"DE": "ask"}, "sentences": {"de": "Wir zeichnen das Gespräch auf."}}`."""

    model_config = ConfigDict(extra="forbid")

    default: RecordingMode = Field(default=RecordingMode.ALLOWED, description="For countries without a rule of their own")
    regions: dict[_Short, RecordingMode] = Field(default_factory=dict, max_length=300, description="By ISO 3166 code of the called country")
    sentences: dict[_Short, Annotated[StrictStr, Field(max_length=300)]] = Field(
        default_factory=dict, max_length=100, description="What the assistant says first with `announce`, by language"
    )


class RulesAnswer(RulesRequest):
    """The rules; `sentences` has those of Earshot too."""


def recording_rules_router(desk: CallDesk) -> APIRouter:
    """`/api/dialling/recording`: GET and POST. A change binds every process at its next dial."""
    router = APIRouter(responses=PROBLEMS)
    path = "/api/dialling/recording"

    def answer() -> JSONResponse:
        rules = desk.consents.rules
        sentences = {**SENTENCES, **rules.sentences}
        return JSONResponse({"default": rules.default, "regions": dict(rules.regions), "sentences": sentences})

    @router.get(path, response_model=RulesAnswer, summary="Which calls may be recorded")
    async def rules(request: Request) -> JSONResponse:
        """The rule for each country: `off`, `ask`, `announce` or `allowed`."""
        client_of(request, Scope.READ)
        return answer()

    @router.post(path, response_model=RulesAnswer, summary="Set which calls may be recorded")
    async def change(request: Request, body: RulesRequest) -> JSONResponse:
        """Replaces all rules. They bind the next dial; active calls stay as they are."""
        client = client_of(request, Scope.MANAGE)
        await desk.consents.change(checked(body.default, body.regions, body.sentences), client)
        return answer()

    allow_only(router, path, "GET", "POST")
    return router
