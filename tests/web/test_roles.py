"""What each role may do: every route with every role, as the README says, calls of one's own, and the caps of one person."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.domain.caps import Caps
from services.domain.client import PAGE, Scope
from services.domain.person import Role
from services.support.rfc3339 import rfc3339
from services.vapi.gateway import Gateway
from services.web.access.sessions import COOKIE, Sessions
from tests.desk.test_desk import until
from tests.stand_in import StandIn
from tests.web.test_api import NUMBER, Client, client_of
from tests.web.test_scopes import ARGUMENTS, BODIES, README, operations, table

OTHER = "+14155550123"
REFUSED = {"forbidden_scope", "not_your_call"}


def roles() -> dict[str, tuple[set[str], set[str]]]:
    """The roles of the README's table: their scopes, and the operations that they may not use all the same."""
    found = re.findall(r"^\| `(\w+)` \| (`\w+`(?: `\w+`)*) \| [^|`]* \|(.*)\|$", README.read_text(), re.MULTILINE)
    return {role: (set(re.findall(r"`(\w+)`", scopes)), set(re.findall(r"`([^`]+)`", but))) for role, scopes, but in found}


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path) -> AsyncIterator[Client]:
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with client_of(tmp_path, gateway, signs_in=True) as made:
        await made.desk.tokens.make("agent", ["mcp"], 30, PAGE)  # without such a token there is no /mcp
        yield made


async def cookies(client: Client, name: str, role: Role, caps: Caps | None = None) -> dict[str, str]:
    """The session of a new person."""
    _, code = await client.desk.people.invite(name, role, caps or Caps(), PAGE)
    person = await client.desk.people.join(code, "$hash")
    sessions = Sessions(client.desk.journal, password="", people=client.desk.people)
    await sessions.load()
    found = {"Cookie": f"{COOKIE}={await sessions.begin(person.login)}"}
    await sessions.aclose()
    return found


@pytest.mark.slow
async def test_the_readme_names_the_scopes_of_every_role(client: Client) -> None:
    assert list(roles()) == [role.value for role in Role]
    for role, (scopes, but) in roles().items():
        person, _ = await client.desk.people.invite(role, Role(role), Caps(), PAGE)
        assert person.client.scopes == set(map(Scope, scopes))
        assert but <= await operations(client, await cookies(client, f"{role} 2", Role.VIEWER))


@pytest.mark.slow
@pytest.mark.parametrize("role", list(Role))
async def test_a_role_may_do_what_the_readme_says_and_nothing_else(client: Client, role: Role) -> None:
    headers = await cookies(client, "Ana", role)
    scopes, but = roles()[role]
    for operation, allowing in table().items():
        method, path, *action = operation.split()
        body = {"action": action[0], **ARGUMENTS.get(action[0], {})} if action else BODIES.get(operation)
        url = client.url + path.format(
            call_id="none", note_id="1", webhook_id="none", delivery_id="1", person_id="none", rule_id="none", number=NUMBER
        )
        async with client.session.request(method, url, json=body, headers=headers) as answer:
            problem = answer.content_type == "application/problem+json"
            code = (await answer.json(content_type=None))["code"] if problem else None
        assert (code in REFUSED) is (not allowing & scopes or operation in but), operation


async def running_call(vapi: StandIn, client: Client, headers: dict[str, str], to: str = NUMBER) -> str:
    status, call, _ = await client.ask("POST", "/api/vapi_call", json={"to": to, "allowDuplicate": True}, headers=headers)
    assert status == 201
    vapi.move(call["id"], "in-progress")
    client.desk.look(call["id"])
    await until(client.desk, call["id"], lambda found: found.answered)
    return str(call["id"])


@pytest.mark.slow
async def test_a_caller_controls_the_calls_that_they_placed_and_no_others(vapi: StandIn, client: Client) -> None:
    ana, ben = await cookies(client, "Ana", Role.CALLER), await cookies(client, "Ben", Role.CALLER)
    boss = await cookies(client, "Boss", Role.SUPERVISOR)
    call_id = await running_call(vapi, client, ana)
    asked: list[tuple[str, str, Any]] = [
        ("POST", "control", {"action": "say", "content": "Hi"}),
        ("POST", "recording", {"on": False}),
        ("POST", "notes", {"text": "Hi"}),
        ("POST", "tags", {"tag": "vip"}),
        ("DELETE", "tags?tag=vip", None),
        ("DELETE", "notes/1", None),
        ("POST", "disposition", {"disposition": None}),
        ("POST", "end", None),
    ]
    for method, path, body in asked:
        url = f"{client.url}/api/calls/{call_id}/{path}"
        answers = []
        for who in (ben, boss if path.startswith("control") else ana):
            async with client.session.request(method, url, json=body, headers=who) as answer:
                code = (await answer.json())["code"] if answer.content_type == "application/problem+json" else None
                answers.append((answer.status, code))
        assert answers[0] == (403, "not_your_call"), path
        assert answers[1][0] < 300, (path, answers)


@pytest.mark.slow
async def test_a_caller_moves_their_own_calls_only(client: Client) -> None:
    ana, ben = await cookies(client, "Ana", Role.CALLER), await cookies(client, "Ben", Role.CALLER)
    first, second = (rfc3339(datetime.now(UTC) + timedelta(days=days)) for days in (2, 3))
    _, call, _ = await client.ask("POST", "/api/vapi_call", json={"to": NUMBER, "earliestAt": first}, headers=ana)
    path = f"/api/calls/{call['id']}/reschedule"
    status, problem, _ = await client.ask("POST", path, json={"earliestAt": second}, headers=ben)
    assert (status, problem["code"]) == (403, "not_your_call")
    status, moved, _ = await client.ask("POST", path, json={"earliestAt": second}, headers=ana)
    assert status == 202
    status, _, _ = await client.ask("POST", f"/api/calls/{moved['id']}/end", headers=ana)  # the call in its place is theirs too
    assert status == 200


@pytest.mark.slow
async def test_who_did_what_is_said_with_their_name(vapi: StandIn, client: Client) -> None:
    call_id = await running_call(vapi, client, await cookies(client, "Ana Flores", Role.CALLER))
    await client.desk.timeline(call_id)
    assert {row.who for row in await client.desk.journal.audit(call_id=call_id)} == {"Ana Flores"}


async def placed(client: Client, headers: dict[str, str], to: str) -> tuple[int, str | None]:
    status, answer, found = await client.ask("POST", "/api/vapi_call", json={"to": to, "allowDuplicate": True}, headers=headers)
    if status == 429:
        assert 0 < int(found.headers["Retry-After"]) <= 24 * 3600
    return status, answer.get("code")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("caps", "code"), [(Caps(per_hour=2), "own_hourly_limit"), (Caps(per_day=2), "own_daily_limit"), (Caps(per_hour=0), "own_hourly_limit")]
)
async def test_a_persons_calls_are_counted_apart_from_those_of_others(client: Client, caps: Caps, code: str) -> None:
    ana, ben = await cookies(client, "Ana", Role.CALLER, caps), await cookies(client, "Ben", Role.CALLER)
    assert (await placed(client, ben, NUMBER))[0] == 201
    for _ in range(0 if caps.per_hour == 0 else 2):
        assert (await placed(client, ana, NUMBER))[0] == 201
    assert await placed(client, ana, NUMBER) == (429, code)
    status, problem, _ = await client.ask("POST", "/api/vapi_call", json={"to": OTHER, "dryRun": True}, headers=ana)
    assert (status, problem["code"]) == (429, code)
    assert (await placed(client, ben, NUMBER))[0] == 201


@pytest.mark.slow
async def test_a_transfer_counts_as_a_call_of_whoever_transfers(vapi: StandIn, client: Client) -> None:
    boss = await cookies(client, "Boss", Role.SUPERVISOR, Caps(per_hour=1))
    call_id = await running_call(vapi, client, await cookies(client, "Ana", Role.CALLER))
    body = {"action": "transfer", "destination": OTHER}
    status, _, _ = await client.ask("POST", f"/api/calls/{call_id}/control", json=body, headers=boss)
    assert status == 202
    assert await placed(client, boss, OTHER) == (429, "own_hourly_limit")


@pytest.mark.slow
async def test_a_person_calls_only_the_countries_that_they_may(client: Client) -> None:
    ana = await cookies(client, "Ana", Role.CALLER, Caps(regions=frozenset({"DE"})))
    assert await placed(client, ana, NUMBER) == (403, "destination_not_yours")
    assert (await placed(client, ana, "+4930901820"))[0] == 201


async def test_a_person_with_countries_calls_no_sip_address(vapi: StandIn, tmp_path: Path) -> None:
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with client_of(tmp_path, gateway, signs_in=True, sip_hosts=frozenset({"pbx.example"})) as client:
        ana = await cookies(client, "Ana", Role.CALLER, Caps(regions=frozenset({"DE"})))
        assert await placed(client, ana, "sip:reception@pbx.example") == (403, "destination_not_yours")


@pytest.mark.slow
async def test_a_person_may_be_kept_from_recording_and_transferring(vapi: StandIn, client: Client) -> None:
    boss = await cookies(client, "Boss", Role.SUPERVISOR, Caps(record=False, transfer=False))
    call_id = await running_call(vapi, client, boss)
    for on in (True, False):
        status, problem, _ = await client.ask("POST", f"/api/calls/{call_id}/recording", json={"on": on}, headers=boss)
        assert (status, problem["code"]) == (403, "may_not_record")
    body = {"action": "transfer", "destination": OTHER}
    status, problem, _ = await client.ask("POST", f"/api/calls/{call_id}/control", json=body, headers=boss)
    assert (status, problem["code"]) == (403, "forbidden_scope")
    assert "Your role" in problem["detail"]
    assert vapi.controls == []
