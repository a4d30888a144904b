"""Contacts over REST."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from services.domain.contact import MOST_CONTACTS
from services.vapi.gateway import Gateway
from services.web.json_body import MAX_BODY
from services.web.routes.contacts import MAX_IMPORT
from tests.patience import HANG_S
from tests.stand_in import StandIn
from tests.web.test_api import Client, client_of

CONTACTS = "/api/contacts"
ANA = {"number": "+14155552671", "name": "Ana Flores", "note": "After 5 pm"}
JSON = {"Content-Type": "application/json"}
BEN = {"number": "+4930901820", "name": "Ben", "note": ""}


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path) -> AsyncIterator[Client]:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url)) as made:
        yield made


async def contacts(client: Client, search: str = "") -> list[dict[str, str]]:
    _, found, _ = await client.ask("GET", f"{CONTACTS}?search={quote(search)}")
    return list(found["contacts"])


async def remove(client: Client, number: str) -> int:
    async with client.session.delete(f"{client.url}{CONTACTS}/{number}") as answer:
        return answer.status


@pytest.mark.slow
async def test_a_contact_is_added_changed_found_and_deleted(client: Client) -> None:
    for status in (201, 200):
        body = {"name": ANA["name"], "note": ANA["note"] if status == 200 else ""}
        answer = await client.ask("PUT", f"{CONTACTS}/%2B1 (415) 555-2671", json=body)
        assert answer[:2] == (status, {**ANA, **body})
    assert (await client.ask("PUT", f"{CONTACTS}/{BEN['number']}", json={"name": "Ben"}))[:2] == (201, BEN)
    assert await contacts(client) == [ANA, BEN]
    assert [await contacts(client, search) for search in ("flores", "3090", "nobody")] == [[ANA], [BEN], []]
    assert [await remove(client, ANA["number"]) for _ in range(2)] == [204, 204]
    assert await contacts(client) == [BEN]
    assert [row.action for row in await client.desk.journal.audit()] == ["delete-contact", *["put-contact"] * 3]


@pytest.mark.parametrize(
    ("number", "body", "code"),
    [
        ("555-2671", {"name": "Ana"}, "invalid_number"),
        ("+12", {"name": "Ana"}, "short_number"),
        (ANA["number"], {"name": " "}, "nameless_contact"),
        (ANA["number"], {"name": ""}, "invalid_request"),
        (ANA["number"], {"name": "Ana", "number": "+14155550000"}, "invalid_request"),
    ],
)
async def test_what_is_no_contact_is_refused(client: Client, number: str, body: dict[str, str], code: str) -> None:
    status, problem, _ = await client.ask("PUT", f"{CONTACTS}/{number}", json=body)
    assert (status, problem["code"]) == (422, code)
    assert await contacts(client) == []


@pytest.mark.parametrize(
    "text",
    [
        "name,number,note\nAna Flores,(415) 555-2671,After 5 pm\nNobody,12,\nBen,+49 30 901820,\n",
        "BEGIN:VCARD\nFN:Ana Flores\nTEL:(415) 555-2671\nNOTE:After 5 pm\nEND:VCARD\n"
        "BEGIN:VCARD\nFN:Nobody\nTEL:12\nEND:VCARD\nBEGIN:VCARD\nFN:Ben\nTEL:+49 30 901820\nEND:VCARD\n",
    ],
    ids=["table", "vcard"],
)
async def test_a_file_is_imported_and_what_is_known_stays(client: Client, text: str) -> None:
    for added, known in ((2, 0), (0, 2)):
        status, answer, _ = await client.ask("POST", f"{CONTACTS}/import", json={"text": text, "country": "US"})
        assert (status, answer) == (200, {"added": added, "known": known, "refused": ["Nobody"], "refusedCount": 1})
        assert await contacts(client) == [ANA, BEN]
    status, answer, _ = await client.ask("POST", f"{CONTACTS}/import", json={"text": text})
    assert (answer["known"], answer["refused"]) == (1, ["Ana Flores", "Nobody"]), "no country is assumed"


@pytest.mark.slow
async def test_a_file_may_be_large_but_not_of_more_contacts_than_there_can_be(client: Client) -> None:
    lines = [f"Lead {number},+1415{2_000_000 + number}" for number in range(MOST_CONTACTS + 1)]
    for count, expected in ((MOST_CONTACTS, 200), (MOST_CONTACTS + 1, 422)):
        text = "\n".join(["name,number", *lines[:count]])
        assert len(text) > MAX_BODY
        status, answer, _ = await client.ask("POST", f"{CONTACTS}/import", json={"text": text})
        assert (status, answer.get("added", answer.get("code"))) == (expected, MOST_CONTACTS if expected == 200 else "too_many_contacts")
    body = io.BytesIO(b'{"text": "' + b"x" * MAX_IMPORT + b'"}')
    assert (await client.ask("POST", f"{CONTACTS}/import", data=body, headers=JSON))[0] == 413


@pytest.mark.parametrize("body", [b'{"text": ' + b"[" * 100_000, b'{"text": "a\\u0000b"}'], ids=["nested", "NUL"])
async def test_a_large_body_is_checked_as_others_are(client: Client, body: bytes) -> None:
    assert (await client.ask("POST", f"{CONTACTS}/import", data=body, headers=JSON))[0] == 422


UNKNOWN = {"x" * 200 + str(number): "" for number in range(5000)}


@pytest.mark.parametrize("body", ["[]," * 600_000, '"",' * 600_000, "1," * 1_000_000], ids=["lists", "strings", "numbers"])
async def test_what_is_large_in_a_body_are_its_strings(client: Client, body: str) -> None:
    """Parsing these, and naming 190,000 unknown fields, blocked the event loop for up to a second."""
    status, answer, _ = await client.ask("POST", f"{CONTACTS}/import", data=io.BytesIO(f'{{"text": [{body}1]}}'.encode()), headers=JSON)
    assert (status, answer["code"]) == (413, "body_too_large")


@pytest.mark.slow
async def test_a_refusal_of_a_large_body_is_small(client: Client) -> None:
    body = io.BytesIO(json.dumps({"text": "", **UNKNOWN}, separators=(",", ":")).encode())
    status, answer, _ = await client.ask("POST", f"{CONTACTS}/import", data=body, headers=JSON)
    assert (status, answer["code"], len(answer["errors"])) == (422, "invalid_request", 100)
    assert {error["field"] for error in answer["errors"]} == {"x" * 100}


async def test_one_client_imports_few_files_at_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    go, add = asyncio.Event(), client.desk.contacts.add_all

    async def slow(*arguments: Any) -> int:
        await go.wait()
        return await add(*arguments)

    monkeypatch.setattr(client.desk.contacts, "add_all", slow)
    body = {"text": "name,number\nAna Flores,+14155552671\n"}
    async with asyncio.timeout(HANG_S):
        asking = [asyncio.ensure_future(client.ask("POST", f"{CONTACTS}/import", json=body)) for _ in range(3)]
        done, _pending = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        assert [one.result()[0] for one in done] == [429]
        go.set()
        assert [(await one)[0] for one in asking if one not in done] == [200] * 2
        assert (await client.ask("POST", f"{CONTACTS}/import", json=body))[0] == 200
