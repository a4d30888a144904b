"""Notes, tags and dispositions over REST, in the list and in the CSV."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.domain.call import Call, CallStatus
from services.domain.client import PAGE
from services.vapi.gateway import Gateway
from tests.desk.test_desk import until
from tests.desks import two_desks
from tests.stand_in import StandIn
from tests.web.test_api import NUMBER, Client, client_of
from tests.web.test_scopes import bearer
from tests.web.test_tokens import entry

CALL = Call(id="one", status=CallStatus.ENDED, to=NUMBER, created_at=datetime(2026, 9, 1, 10, tzinfo=UTC))
TOKENS = ",".join(entry(name, scopes, name) for name, scopes in (("dana", "read+control"), ("robot", "control"), ("eve", "read")))


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path) -> AsyncIterator[Client]:
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with client_of(tmp_path, gateway, dispositions=("sold", "call again"), api_tokens=TOKENS) as made:
        await made.desk.journal.save(CALL)
        yield made


@pytest.mark.slow
async def test_a_note_says_who_wrote_it_when_and_where(client: Client) -> None:
    body = {"text": " Asks for\r\nthe price ", "t": 83.5}
    status, note, _ = await client.ask("POST", "/api/calls/one/notes", json=body, headers=bearer("dana"))
    assert (status, note["text"], note["t"], note["by"]) == (201, "Asks for\nthe price", 83.5, "dana")
    assert note["page"] == "/?call=one&t=83.5"
    _, whole, _ = await client.ask("POST", "/api/calls/one/notes", json={"text": "On the whole"}, headers=bearer("robot"))
    assert (whole["t"], whole["page"]) == (None, "/?call=one")
    _, found, _ = await client.ask("GET", "/api/calls/one/notes", headers=bearer("eve"))
    assert found == {"notes": [note, whole], "tags": [], "disposition": None, "dispositions": ["sold", "call again"]}
    audit = await client.desk.journal.audit(call_id="one")
    assert [(row.action, row.who, row.detail) for row in audit] == [("note", "robot", ""), ("note", "dana", "")]
    async with client.session.delete(f"{client.url}/api/calls/one/notes/{note['id']}", headers=bearer("dana")) as answer:
        assert answer.status == 204
    assert (await client.ask("DELETE", f"/api/calls/one/notes/{note['id']}", headers=bearer("dana")))[0] == 404
    assert (await client.ask("GET", "/api/calls/one/notes", headers=bearer("eve")))[1]["notes"] == [whole]


@pytest.mark.slow
async def test_tags_and_a_disposition_from_the_owners_list(client: Client) -> None:
    _, answer, _ = await client.ask("POST", "/api/calls/one/tags", json={"tag": "  big   deal "}, headers=bearer("dana"))
    assert [tag["text"] for tag in answer["tags"]] == ["big deal"]
    assert (await client.ask("POST", "/api/calls/one/tags", json={"tag": "vip"}, headers=bearer("robot")))[1] == {"id": "one"}
    _, answer, _ = await client.ask("POST", "/api/calls/one/disposition", json={"disposition": "sold"}, headers=bearer("dana"))
    assert (answer["disposition"]["text"], answer["disposition"]["by"]) == ("sold", "dana")
    status, problem, _ = await client.ask("POST", "/api/calls/one/disposition", json={"disposition": "Sold"}, headers=bearer("dana"))
    assert (status, problem["errors"][0]["field"]) == (422, "disposition")
    for query, expected in (("tag=vip", ["one"]), ("tag=none", []), ("disposition=sold", ["one"]), ("search=BIG%20DEAL", ["one"])):
        _, page, _ = await client.ask("GET", f"/api/calls?{query}", headers=bearer("eve"))
        assert [call["id"] for call in page["calls"]] == expected, query
    _, answer, _ = await client.ask("DELETE", "/api/calls/one/tags?tag=VIP", headers=bearer("dana"))
    assert [tag["text"] for tag in answer["tags"]] == ["big deal"]
    _, answer, _ = await client.ask("POST", "/api/calls/one/disposition", json={"disposition": None}, headers=bearer("dana"))
    assert answer["disposition"] is None


@pytest.mark.slow
async def test_the_csv_has_them_and_no_formula(client: Client) -> None:
    for body in ({"text": "=1+1"}, {"text": "Laughs", "t": 3}):
        await client.ask("POST", "/api/calls/one/notes", json=body, headers=bearer("dana"))
    for tag in ("vip", "b2b"):
        await client.ask("POST", "/api/calls/one/tags", json={"tag": tag}, headers=bearer("dana"))
    await client.ask("POST", "/api/calls/one/disposition", json={"disposition": "sold"}, headers=bearer("dana"))
    async with client.session.get(f"{client.url}/api/calls.csv", headers=bearer("eve")) as answer:
        (row,) = csv.DictReader(io.StringIO((await answer.read()).decode("utf-8-sig"), newline=""))
    assert (row["disposition"], row["tags"], row["notes"]) == ("sold", "b2b | vip", "'=1+1 | 3 s: Laughs")


@pytest.mark.parametrize(
    "body", [{}, {"text": ""}, {"text": " \n "}, {"text": "a", "t": -1}, {"text": "a", "t": 10**6}, {"text": "a" * 2001}]
)
async def test_a_note_that_is_none_is_refused(client: Client, body: dict[str, object]) -> None:
    assert (await client.ask("POST", "/api/calls/one/notes", json=body, headers=bearer("dana")))[1]["code"] == "invalid_request"


@pytest.mark.slow
async def test_another_process_is_told(vapi: StandIn, tmp_path: Path) -> None:
    async with two_desks((vapi.url, vapi.url), tmp_path) as (here, there):
        placed = await here.place(here.order(NUMBER), PAGE)
        await until(there, placed.call.id, lambda call: True)
        told: list[str] = []
        there.annotations.changed.subscribe(told.append)
        await here.annotations.add_note(placed.call, "Asks for the price", PAGE)
        await there.journal.catch_up()
        assert placed.call.id in told
        assert [note.text for note in (await there.annotations.of(placed.call)).notes] == ["Asks for the price"]
