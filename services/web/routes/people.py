"""The routes of people: who may sign in, with which role and caps, and the links by which they choose a password."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, create_model

from services.desk.lists.people import People
from services.domain.caps import CAPS, MOST_CALLS, Cap, Caps, Kind, caps_from_json, caps_to_json
from services.domain.client import Scope
from services.domain.errors import NotConfigured, PersonNotFound
from services.domain.person import LONGEST_NAME, Person, Role
from services.support.rfc3339 import rfc3339
from services.support.root_path import address
from services.web.access.current_client import client_of
from services.web.problems import PROBLEMS, allow_only

Calls = Annotated[StrictInt, Field(ge=0, le=MOST_CALLS)]
Region = Annotated[StrictStr, Field(pattern=r"^[A-Z]{2}$")]
_FIELDS: dict[Kind, Callable[[Cap], tuple[Any, Any]]] = {
    Kind.CALLS: lambda cap: (Calls | None, Field(default=None, description=cap.says)),
    Kind.REGIONS: lambda cap: (list[Region] | None, Field(default=None, min_length=1, max_length=300, description=cap.says)),
    Kind.RIGHT: lambda cap: (StrictBool, Field(default=True, description=cap.says)),
}


def _camel(name: str) -> str:
    """`perHour` for `per_hour`."""
    return re.sub("_(.)", lambda found: found[1].upper(), name)


if TYPE_CHECKING:

    class CapsBody(BaseModel): ...

else:
    CapsBody = create_model(
        "CapsBody",
        __config__=ConfigDict(extra="forbid"),
        __doc__="Limits of a person within their role. null: only the limits for everybody apply.",
        **{_camel(cap.name): _FIELDS[cap.kind](cap) for cap in CAPS},
    )


def caps_of(body: CapsBody) -> Caps:
    return caps_from_json({cap.name: getattr(body, _camel(cap.name)) for cap in CAPS})


class PersonRequest(BaseModel):
    """`{"name": "Ana Flores", "role": "caller"}`."""

    model_config = ConfigDict(extra="forbid")

    name: StrictStr = Field(min_length=1, max_length=LONGEST_NAME)
    role: Role
    caps: CapsBody = Field(default_factory=CapsBody)


class PersonChange(BaseModel):
    """`{"role": "supervisor"}`: what is to be changed of a person."""

    model_config = ConfigDict(extra="forbid")

    role: Role | None = None
    caps: CapsBody | None = Field(default=None, description="All of them: what is left out is not limited any more")
    disabled: StrictBool | None = None


class PersonAnswer(BaseModel):
    id: str
    name: str = Field(description="Empty for the first owner until they choose one")
    role: Role
    caps: CapsBody
    disabled: bool
    signsInBy: Literal["password", "provider"] | None = Field(description="null until they have chosen a password")
    linkExpiresAt: datetime | None = Field(description="Until when a link to choose a password is valid; null if none waits")
    createdAt: datetime


class InvitedAnswer(PersonAnswer):
    link: str = Field(description="Works once, within 48 hours: its holder chooses the password. It is shown only now")


class PeopleAnswer(BaseModel):
    people: list[PersonAnswer]


def people_router(people: People, *, passwords: bool) -> APIRouter:
    """`/api/people`. `passwords`: people may have passwords of their own."""
    return _PeopleRoutes(people, passwords=passwords).router()


class _PeopleRoutes:
    def __init__(self, people: People, *, passwords: bool) -> None:
        self._people = people
        self._passwords = passwords

    def router(self) -> APIRouter:
        router = APIRouter(responses=PROBLEMS)
        base = "/api/people"
        one, link = f"{base}/{{person_id}}", f"{base}/{{person_id}}/link"
        invited: dict[int | str, dict[str, Any]] = {201: {"model": InvitedAnswer, "description": "The person, and the link"}}
        add = router.add_api_route
        add(base, self.all, response_model=PeopleAnswer, summary="Who may sign in")
        add(base, self.invite, methods=["POST"], status_code=201, responses=invited, summary="Invite a person")
        add(one, self.change, methods=["PATCH"], response_model=PersonAnswer, summary="Change a person's role or caps, or disable them")
        add(one, self.remove, methods=["DELETE"], status_code=204, summary="Remove a person")
        add(link, self.invite_again, methods=["POST"], status_code=201, responses=invited, summary="A new link to choose a password")
        allow_only(router, base, "GET", "POST")
        allow_only(router, one, "PATCH", "DELETE")
        allow_only(router, link, "POST")
        return router

    async def all(self, request: Request) -> JSONResponse:
        """By name."""
        client_of(request, Scope.MANAGE)
        return JSONResponse({"people": [_person(person) for person in self._people.all()]})

    async def invite(self, request: Request, body: PersonRequest) -> JSONResponse:
        """Answers with a link, which works once, within 48 hours."""
        client = client_of(request, Scope.MANAGE)
        self._require_passwords()
        person, code = await self._people.invite(body.name, body.role, caps_of(body.caps), client)
        return JSONResponse(_person(person) | {"link": join_address(request, code)}, 201)

    async def invite_again(self, request: Request, person_id: str) -> JSONResponse:
        """For somebody who lost the first link or forgot the password. Earlier links are void; the password is valid until a new one is
        chosen."""
        client = client_of(request, Scope.MANAGE)
        self._require_passwords()
        code = await self._people.invite_again(person_id, client)
        return JSONResponse(_person(self._people.get(person_id)) | {"link": join_address(request, code)}, 201)

    async def change(self, request: Request, person_id: str, body: PersonChange) -> JSONResponse:
        """Any change ends the person's sessions, and the streams and live sound that they opened. There is always an owner."""
        caps = caps_of(body.caps) if body.caps else None
        client = client_of(request, Scope.MANAGE)
        return JSONResponse(_person(await self._people.change(person_id, client, role=body.role, caps=caps, disabled=body.disabled)))

    async def remove(self, request: Request, person_id: str) -> Response:
        """Ends everything that they opened. What they did stays in the audit under their name."""
        if not await self._people.remove(person_id, client_of(request, Scope.MANAGE)):
            raise PersonNotFound()
        return Response(status_code=204)

    def _require_passwords(self) -> None:
        if not self._passwords:
            raise NotConfigured("People have no passwords here. Set EARSHOT_PEOPLE=on and start Earshot again.")


def join_address(request: Request, code: str) -> str:
    """The link by which somebody chooses a password."""
    return f"{request.url.scheme}://{request.headers['host']}{address('/join')}?{urlencode({'code': code})}"


def _person(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "role": person.role.value,
        "caps": {_camel(name): value for name, value in caps_to_json(person.caps).items()},
        "disabled": person.disabled,
        "signsInBy": "password" if person.password else "provider" if person.subject else None,
        "linkExpiresAt": rfc3339(max((link.expires_at for link in person.links), default=None)),
        "createdAt": rfc3339(person.made_at),
    }
