"""What each scope allows: every route with every scope, as the README says, and what answers leave out for those who may know less."""

import csv
import io
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.domain.call import Call, CallStatus
from services.domain.client import Scope
from services.domain.control import Action
from services.support.rfc3339 import rfc3339
from services.vapi.gateway import Gateway
from tests.desk.test_desk import until
from tests.stand_in import StandIn
from tests.web.test_api import NUMBER, Client, client_of
from tests.web.test_tokens import entry

README = Path(__file__).parent.parent.parent / "README.md"
TOKENS = [entry(scope, scope, scope) for scope in Scope]
TOKENS += [
    entry("boss", "*", "boss"),
    entry("hearing", "read+listen", "hearing"),
    entry("seeing", "read+control", "seeing"),
    entry("owning", "read+manage", "owning"),
]
WITHOUT = {"GET /health", "GET /health/live", "GET /metrics", "POST /api/vapi_events"}
"""Operations that need no token."""
BODIES: dict[str, Any] = {
    "POST /api/vapi_call": {"to": NUMBER, "dryRun": True},
    "POST /api/calls/{call_id}/recording": {"on": True},
    "POST /api/dialling/blocked": {"rule": "+1900*"},
    "POST /api/dialling/recording": {},
    "POST /api/calls/{call_id}/notes": {"text": "Hi"},
    "POST /api/calls/{call_id}/tags": {"tag": "vip"},
    "POST /api/calls/{call_id}/disposition": {"disposition": None},
    "POST /api/people": {"name": "Zoe", "role": "viewer"},
    "PATCH /api/people/{person_id}": {"disabled": True},
    "POST /api/webhooks": {"url": "http://127.0.0.1:9/"},
    "POST /api/numbers/erase": {"number": "+14155550000", "dryRun": True},
    "PUT /api/contacts/{number}": {"name": "Zoe"},
    "POST /api/contacts/import": {"text": ""},
    "POST /api/rules": {"kind": "silence", "above": 8},
    "POST /api/rules/try": {"kind": "silence", "above": 8},
    "PATCH /api/rules/{rule_id}": {"on": True},
    "POST /api/webhooks/{webhook_id}/events": {"events": []},
    "POST /api/calls/{call_id}/reschedule": {"earliestAt": "2020-01-01T00:00:00Z"},
}
ARGUMENTS = {
    "transfer": {"destination": "+12125550100"},
    "say": {"content": "Hi"},
    "add-message": {"content": "Hi"},
    "handoff": {"assistantId": "a"},
}
PLACES = {
    **dict.fromkeys(("call_id", "webhook_id", "rule_id", "person_id"), "none"),
    "note_id": "1",
    "delivery_id": "1",
    "number": NUMBER,
}
"""What stands in paths."""
READ_TOO = {"POST /api/webhooks", "POST /api/webhooks/{webhook_id}/events", "POST /api/rules/try"}
"""Operations that need the scope `read` besides their own."""
RECORDING = "https://storage.vapi.ai/one.wav"
OURS = "/api/calls/past/vapi-recording"


def table() -> dict[str, set[str]]:
    """The operations of the README's table, those of `control` with their action, and the scopes that allow each."""
    allowed: dict[str, set[str]] = {}
    for scope, _, routes in re.findall(
        r"^\| `(\w+)` \| (.*?) \| (`(?:GET|POST|PUT|PATCH|DELETE) /api/.*) \|$", README.read_text(), re.MULTILINE
    ):
        for operation, actions in re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) [^`]+)`(?: \(([^)]*)\))?", routes):
            for each in [f"{operation} {action}" for action in re.findall(r"`([^`]+)`", actions)] or [operation]:
                allowed.setdefault(each, set()).add(scope)
    return allowed


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path) -> AsyncIterator[Client]:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), api_tokens=",".join(TOKENS)) as made:
        yield made


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


async def operations(client: Client, headers: dict[str, str]) -> set[str]:
    """Every operation of the API, those of `control` with their action."""
    _, described, _ = await client.ask("GET", "/openapi.json", headers=headers)
    plain = {f"{method.upper()} {path}" for path, methods in described["paths"].items() for method in methods} - WITHOUT
    control = "POST /api/calls/{call_id}/control"
    return plain - {control} | {f"{control} {action}" for action in Action}


@pytest.mark.slow
async def test_the_readme_names_the_scope_of_every_route(client: Client) -> None:
    assert table().keys() == await operations(client, bearer("boss"))


@pytest.mark.slow
@pytest.mark.parametrize("scope", [*Scope, "nobody"])
async def test_a_token_may_do_what_its_scope_says_and_nothing_else(client: Client, scope: str) -> None:
    for operation, allowed in table().items():
        method, path, *action = operation.split()
        body = {"action": action[0], **ARGUMENTS.get(action[0], {})} if action else BODIES.get(operation)
        url = client.url + path.format(
            call_id="none", note_id="1", webhook_id="none", delivery_id="1", rule_id="none", person_id="none", number=NUMBER
        )
        async with client.session.request(method, url, json=body, headers=bearer(scope)) as answer:
            problem = answer.content_type == "application/problem+json"
            status, code = answer.status, (await answer.json(content_type=None))["code"] if problem else None
        if scope == "nobody":
            assert (status, code) == (401, "unauthorized"), operation
        else:
            assert (code == "forbidden_scope") is (scope not in allowed or operation in READ_TOO), operation


async def test_who_may_not_read_calls_does_not_have_them_sent(client: Client) -> None:
    body = BODIES["POST /api/webhooks"]
    for name, expected in (
        ("manage", (403, "forbidden_scope")),
        ("hearing", (403, "forbidden_scope")),
        ("owning", (422, "webhook_url_private")),
    ):
        status, problem, _ = await client.ask("POST", "/api/webhooks", json=body, headers=bearer(name))
        assert (status, problem["code"]) == expected, name  # 127.0.0.1 may not be sent to


async def answered(vapi: StandIn, client: Client) -> str:
    """The id of an answered call."""
    order = {"to": NUMBER, "allowDuplicate": True}
    _, call, _ = await client.ask("POST", "/api/vapi_call", json=order, headers=bearer("boss"))
    vapi.move(call["id"], "in-progress")
    client.desk.look(call["id"])
    await until(client.desk, call["id"], lambda call: call.answered)
    return str(call["id"])


@pytest.mark.slow
async def test_without_the_read_scope_an_answer_has_only_the_calls_id(vapi: StandIn, client: Client) -> None:
    call_id = await answered(vapi, client)
    asked = [
        ("control", "control", {"action": "mute-assistant"}, 202),
        ("transfer", "control", {"action": "add-message", "content": "Be short"}, 202),
        ("control", "end", None, 200),
    ]
    for scope, path, body, status in asked:
        found, answer, _ = await client.ask("POST", f"/api/calls/{call_id}/{path}", json=body, headers=bearer(scope))
        assert (found, answer) == (status, {"id": call_id})
    _, answer, _ = await client.ask("POST", f"/api/calls/{call_id}/end", headers=bearer("seeing"))
    assert (answer["to"], answer["status"]) == (NUMBER, "ended")


@pytest.mark.slow
async def test_who_moves_a_call_of_somebody_else_does_not_read_it(client: Client) -> None:
    first, second = (rfc3339(datetime.now(UTC) + timedelta(days=days)) for days in (2, 3))
    order = {"to": NUMBER, "customer": {"name": "Dana"}, "earliestAt": first}
    _, call, _ = await client.ask("POST", "/api/vapi_call", json=order, headers=bearer("boss"))
    for _ in range(2):
        path = f"/api/calls/{call['id']}/reschedule"
        status, answer, _ = await client.ask("POST", path, json={"earliestAt": second}, headers=bearer("call"))
        assert (status, set(answer)) == (202, {"id"})
    _, found, _ = await client.ask("POST", path, json={"earliestAt": second}, headers=bearer("boss"))
    assert (found["id"], found["to"]) == (answer["id"], NUMBER)


@pytest.mark.slow
async def test_a_transfer_needs_neither_call_nor_control(vapi: StandIn, client: Client) -> None:
    call_id = await answered(vapi, client)
    body = {"action": "transfer", "destination": "+12125550100"}
    status, _, _ = await client.ask("POST", f"/api/calls/{call_id}/control", json=body, headers=bearer("transfer"))
    assert (status, [control["type"] for control in vapi.controls]) == (202, ["transfer"])


@pytest.mark.parametrize(("name", "expected"), [("read", None), ("hearing", OURS)])
async def test_only_who_may_listen_is_given_the_address_of_a_recording(client: Client, name: str, expected: str | None) -> None:
    at = datetime(2026, 9, 1, 10, tzinfo=UTC)
    await client.desk.journal.save(Call(id="past", status=CallStatus.ENDED, to=NUMBER, created_at=at, ended_at=at, recording_url=RECORDING))
    _, one, _ = await client.ask("GET", "/api/calls/past", headers=bearer(name))
    _, page, _ = await client.ask("GET", "/api/calls", headers=bearer(name))
    async with client.session.get(f"{client.url}/api/calls.csv", headers=bearer(name)) as answer:
        rows = list(csv.DictReader(io.StringIO((await answer.read()).decode("utf-8-sig"), newline="")))
    async with client.session.get(f"{client.url}/api/calls/past/events", headers=bearer(name)) as events:
        stream = (await events.read()).decode()
    assert [one["recordingUrl"], page["calls"][0]["recordingUrl"], rows[0]["recordingUrl"] or None] == [expected] * 3
    assert "event: ended" in stream
    assert (OURS in stream) is (expected is not None)
    assert RECORDING not in f"{one}{page}{rows}{stream}"
