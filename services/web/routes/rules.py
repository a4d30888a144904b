"""The routes of rules: what in calls gives an alert."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from services.desk.desk import CallDesk
from services.desk.judging.rule_trial import MOST_CALLS, USUAL_CALLS, Match
from services.domain.client import Scope
from services.domain.rule import LONGEST_PHRASE, Effect, Rule, RuleKind, RuleSpeaker, altered, rule_of
from services.support.rfc3339 import rfc3339
from services.support.root_path import address
from services.web.access.current_client import client_of
from services.web.problems import PROBLEMS, allow_only

Phrase = Annotated[
    StrictStr,
    Field(
        max_length=LONGEST_PHRASE,
        description="Of a `keyword`: words that are said one after another, found whatever their accents, case and inflection",
    ),
]
Above = Annotated[
    float,
    Field(
        strict=True,
        ge=0,
        allow_inf_nan=False,
        description="Of any other kind. Seconds of `silence` (at least 3), of a `slow-answer`, or of the median of all answers "
        "(`slow-answers`); a number of `interruptions`; US dollars of `cost`",
    ),
]
Effects = Annotated[list[Effect], Field(max_length=len(Effect), description="What an alert does besides being listed and sent as an event")]
_LISTED = 100  # calls of a trial
SPEAKER = "Who says the `keyword`, or who interrupts"


class RuleRequest(BaseModel):
    """`{"kind": "keyword", "phrase": "cancel", "speaker": "customer", "on": true}`, `{"kind": "silence", "above": 8}`."""

    model_config = ConfigDict(extra="forbid")

    kind: RuleKind
    phrase: Phrase | None = None
    speaker: RuleSpeaker = Field(default=RuleSpeaker.EITHER, description=SPEAKER)
    above: Above | None = None
    effects: Effects = list(Effect)
    on: StrictBool = Field(default=False, description="False: it gives no alerts")


class TrialRequest(BaseModel):
    """`{"kind": "keyword", "phrase": "cancel"}`: a rule that need not exist."""

    model_config = ConfigDict(extra="forbid")

    kind: RuleKind
    phrase: Phrase | None = None
    speaker: RuleSpeaker = Field(default=RuleSpeaker.EITHER, description=SPEAKER)
    above: Above | None = None
    calls: int = Field(default=USUAL_CALLS, ge=1, le=MOST_CALLS, strict=True, description="How many of the latest calls to look at")


class RuleChange(BaseModel):
    """`{"on": true}`: what is to be changed of a rule."""

    model_config = ConfigDict(extra="forbid")

    kind: RuleKind | None = None
    phrase: Phrase | None = None
    speaker: RuleSpeaker | None = Field(default=None, description=SPEAKER)
    above: Above | None = None
    effects: Effects | None = None
    on: StrictBool | None = None


class RuleAnswer(BaseModel):
    id: str
    kind: RuleKind
    phrase: str = Field(description="Of a `keyword`; else empty")
    speaker: RuleSpeaker
    above: float | None = Field(description="null of a `keyword`")
    effects: list[Effect]
    on: bool
    since: datetime | None = Field(description="When it was switched on or changed; earlier words, silences and single answers are ignored")


class RulesAnswer(BaseModel):
    """Oldest first."""

    rules: list[RuleAnswer]


class MatchAnswer(BaseModel):
    """A call that the rule would have given an alert of."""

    id: str
    createdAt: datetime | None
    to: str | None
    amount: float | None = Field(description="What was measured; null of a `keyword`")
    said: str = Field(description="The line with the keyword; else empty")
    page: str


class TrialAnswer(BaseModel):
    lookedAt: int = Field(description="The latest ended calls that were looked at")
    judged: int = Field(description="Those of them that have what the rule needs: a transcript, figures, or a cost")
    matched: int = Field(description="Those of them to which the rule would have applied")
    calls: list[MatchAnswer] = Field(description="The newest 100 of these")


def rules_router(desk: CallDesk) -> APIRouter:
    """`/api/rules`."""
    return _RuleRoutes(desk).router()


class _RuleRoutes:
    def __init__(self, desk: CallDesk) -> None:
        self._desk = desk
        self._rules = desk.rules

    def router(self) -> APIRouter:
        router = APIRouter(responses=PROBLEMS)
        base = "/api/rules"
        one, trial = f"{base}/{{rule_id}}", f"{base}/try"
        made: dict[int | str, dict[str, Any]] = {201: {"model": RuleAnswer, "description": "The rule"}}
        add = router.add_api_route
        add(base, self.all, response_model=RulesAnswer, summary="The rules")
        add(base, self.add, methods=["POST"], status_code=201, responses=made, summary="Add a rule")
        add(trial, self.try_, methods=["POST"], response_model=TrialAnswer, summary="Try a rule against past calls")
        allow_only(router, trial, "POST")  # before the routes of one rule, which would match it
        add(one, self.change, methods=["PATCH"], response_model=RuleAnswer, summary="Change a rule, switch it on or off")
        add(one, self.remove, methods=["DELETE"], status_code=204, summary="Delete a rule")
        allow_only(router, base, "GET", "POST")
        allow_only(router, one, "PATCH", "DELETE")
        return router

    async def all(self, request: Request) -> JSONResponse:
        """Each gives at most one alert of each call, which is in the call's `alerts`."""
        client_of(request, Scope.READ)
        return JSONResponse({"rules": [_answer(rule) for rule in self._rules.all()]})

    async def add(self, request: Request, body: RuleRequest) -> JSONResponse:
        """It is off unless `on` is set."""
        client = client_of(request, Scope.MANAGE)
        make = partial(
            rule_of,
            kind=body.kind,
            phrase=body.phrase,
            speaker=body.speaker,
            above=body.above,
            effects=body.effects,
            since=self._rules.now() if body.on else None,
        )
        return JSONResponse(_answer(await self._rules.add(make, client)), 201)

    async def try_(self, request: Request, body: TrialRequest) -> JSONResponse:
        """To how many of the latest calls it would have applied, and to which. Nothing is changed, and nobody is alerted. Needs the
        scope `read` too, since it shows calls."""
        client_of(request, Scope.READ)
        client = client_of(request, Scope.MANAGE)
        rule = rule_of("", body.kind, phrase=body.phrase, speaker=body.speaker, above=body.above)
        trial = await self._desk.trials.try_(rule, client, most=body.calls)
        calls = [_match(match) for match in trial.matches[:_LISTED]]
        return JSONResponse({"lookedAt": trial.looked_at, "judged": trial.judged, "matched": len(trial.matches), "calls": calls})

    async def change(self, request: Request, rule_id: str, body: RuleChange) -> JSONResponse:
        """What is left out, or null, stays as it is."""
        client = client_of(request, Scope.MANAGE)
        change = partial(altered, now=self._rules.now(), **body.model_dump())
        return JSONResponse(_answer(await self._rules.alter(rule_id, change, client)))

    async def remove(self, request: Request, rule_id: str) -> Response:
        """Alerts that it gave stay with their calls."""
        await self._rules.remove(rule_id, client_of(request, Scope.MANAGE))
        return Response(status_code=204)


def _match(match: Match) -> dict[str, Any]:
    call = match.call
    return {
        "id": call.id,
        "createdAt": rfc3339(call.created_at),
        "to": call.to,
        "amount": match.amount,
        "said": match.said,
        "page": address(f"/?call={call.id}"),
    }


def _answer(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "kind": rule.kind.value,
        "phrase": rule.phrase,
        "speaker": rule.speaker.value,
        "above": None if rule.kind is RuleKind.KEYWORD else rule.above,
        "effects": [effect.value for effect in Effect if effect in rule.effects],
        "on": rule.on,
        "since": rfc3339(rule.since),
    }
