"""The routes of contacts: the names of numbers."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictStr

from services.desk.desk import CallDesk
from services.domain.client import Scope
from services.domain.contact import LONGEST_NAME, LONGEST_NOTE, MOST_CONTACTS, Contact, contact_of
from services.domain.contact_files import read_contacts
from services.web.access.current_client import client_of
from services.web.at_once import AtOnce
from services.web.problems import PROBLEMS, allow_only
from services.web.requests import PLAIN

IMPORT = "/api/contacts/import"
MAX_IMPORT = 2 * 1024 * 1024
"""Bytes of the body of an import: 5,000 contacts with a note each."""
_AT_ONCE = 2  # imports of one client: each takes a thread for a second or two
_MOST_NAMED = 100  # entries that could not be read

Number = Annotated[str, Path(max_length=64, pattern=PLAIN, description="With + and the country code")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class ContactRequest(BaseModel):
    """`{"name": "Ana Flores", "note": "After 5 pm"}`."""

    model_config = ConfigDict(extra="forbid")

    name: StrictStr = Field(min_length=1, max_length=LONGEST_NAME)
    note: StrictStr = Field(default="", max_length=LONGEST_NOTE)


class ImportRequest(BaseModel):
    """`{"text": "name,number\\nAna Flores,+14155552671\\n"}`."""

    model_config = ConfigDict(extra="forbid")

    text: StrictStr = Field(max_length=MAX_IMPORT, description="The file: a table (CSV) with headings, or vCard")
    country: Country | None = Field(default=None, description="ISO 3166 code of the country whose numbers have no country code")


class ContactAnswer(BaseModel):
    number: str
    name: str
    note: str


class ContactsAnswer(BaseModel):
    """By name."""

    contacts: list[ContactAnswer]


class ImportAnswer(BaseModel):
    added: int = Field(description="Contacts that are new")
    known: int = Field(description="Contacts whose number had one: it stays as it is")
    refused: list[str] = Field(description=f"Names or numbers of the first {_MOST_NAMED} entries that can't be read")
    refusedCount: int


def contacts_router(desk: CallDesk) -> APIRouter:
    """`/api/contacts`."""
    return _ContactRoutes(desk).router()


class _ContactRoutes:
    def __init__(self, desk: CallDesk) -> None:
        self._contacts = desk.contacts
        self._imports = AtOnce(_AT_ONCE, "imports of contacts")

    def router(self) -> APIRouter:
        router = APIRouter(responses=PROBLEMS)
        base = "/api/contacts"
        one = f"{base}/{{number}}"
        added: dict[int | str, dict[str, Any]] = {201: {"model": ContactAnswer, "description": "The new contact"}}
        add = router.add_api_route
        add(base, self.all, response_model=ContactsAnswer, summary="The contacts")
        add(IMPORT, self.import_, methods=["POST"], response_model=ImportAnswer, summary="Import contacts from a table or vCard file")
        allow_only(router, IMPORT, "POST")  # before the routes of one contact, which would match it
        add(one, self.put, methods=["PUT"], response_model=ContactAnswer, responses=added, summary="Add a contact, or change it")
        add(one, self.remove, methods=["DELETE"], status_code=204, summary="Delete a contact")
        allow_only(router, base, "GET")
        allow_only(router, one, "PUT", "DELETE")
        return router

    async def all(
        self,
        request: Request,
        search: Annotated[
            str, Query(max_length=200, pattern=PLAIN, description="Only contacts with these words in their name, or digits in their number")
        ] = "",
    ) -> JSONResponse:
        """All of them, or those that are searched for."""
        client_of(request, Scope.CALL)
        found = self._contacts.find(search, most=MOST_CONTACTS) if search.strip() else self._contacts.all()
        return JSONResponse({"contacts": [_answer(contact) for contact in found]})

    async def put(self, request: Request, number: Number, body: ContactRequest) -> JSONResponse:
        """Name and note replace what is there. The name then stands wherever the number does."""
        client = client_of(request, Scope.CALL)
        contact = contact_of(number, body.name, body.note)
        new = not self._contacts.name_of(contact.number)
        await self._contacts.put(contact, client)
        return JSONResponse(_answer(contact), 201 if new else 200)

    async def remove(self, request: Request, number: Number) -> Response:
        """Calls with the number stay. The same answer if it is nobody's."""
        client = client_of(request, Scope.CALL)
        await self._contacts.remove(contact_of(number, number).number, client)
        return Response(status_code=204)

    async def import_(self, request: Request, body: ImportRequest) -> JSONResponse:
        """All at once. A contact whose number is known stays as it is, and entries that can't be read are left out."""
        client = client_of(request, Scope.CALL)
        with self._imports.one(client):
            # In a thread: a long file takes a second, in which nobody would hear their call.
            read = await asyncio.to_thread(read_contacts, body.text, (body.country,))
            added = await self._contacts.add_all(read.contacts, client) if read.contacts else 0
        refused = read.refused
        return JSONResponse(
            {
                "added": added,
                "known": len(read.contacts) - added,
                "refused": list(refused[:_MOST_NAMED]),
                "refusedCount": len(refused),
            }
        )


def _answer(contact: Contact) -> dict[str, str]:
    return {"number": contact.number, "name": contact.name, "note": contact.note}
