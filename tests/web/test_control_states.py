"""Steering a running call over REST: what becomes of it where the call, the dialling or Vapi is in another state."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.desk.calls import lookups
from services.vapi.gateway import Gateway
from tests.stand_in import StandIn
from tests.web.test_api import NUMBER, Client, client_of
from tests.web.test_control import SIP_HOSTS, answered


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path) -> AsyncIterator[Client]:
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with client_of(tmp_path, gateway, allowed_regions=frozenset({"US"}), sip_hosts=SIP_HOSTS) as made:
        yield made


@pytest.mark.slow
async def test_an_extension_of_a_blocked_number_is_blocked_for_dials_and_transfers(vapi: StandIn, client: Client) -> None:
    call = await answered(vapi, client)
    await client.desk.blocked.add("+1 212 555 01")
    assert (await client.place(to="+12125550100"))[1]["code"] == "number_blocked"
    for destination in ("+12125550100", "sip:+12125550100@gateway.example"):
        _, problem, _ = await client.ask("POST", call + "/control", json={"action": "transfer", "destination": destination})
        assert problem["code"] == "number_blocked"
    assert (vapi.dials, vapi.controls) == (1, [])


async def test_no_confirmation_lets_a_refused_kind_through(vapi: StandIn, client: Client) -> None:
    for extra in ({}, {"dryRun": True}, {"earliestAt": (datetime.now(UTC) + timedelta(days=1)).isoformat()}):
        for number, code in (("+4990012345675", "premium_rate_number"), ("+1 212 976 1234", "premium_rate_number")):
            status, problem = await client.place(to=number, confirmUnlikelyNumber=True, **extra)
            assert (status, problem["code"]) == (422, code)
    assert vapi.dials == 0


@pytest.mark.slow
async def test_what_vapi_did_not_take_stands_in_the_audit_too(vapi: StandIn, client: Client) -> None:
    call = await answered(vapi, client)
    vapi.control_status = 500
    assert (await client.ask("POST", call + "/control", json={"action": "transfer", "destination": "+12125550100"}))[0] == 502
    (row, *_) = await client.desk.journal.audit(call_id=call.rsplit("/", 1)[1])
    assert (row.who, row.action, row.outcome) == ("local", "transfer", "vapi_unavailable")


@pytest.mark.slow
async def test_transfers_count_against_the_caps(vapi: StandIn, tmp_path: Path) -> None:
    gateway = Gateway(api_key="private", base_url=vapi.url)
    transfer = {"action": "transfer", "destination": "+12125550100"}
    async with client_of(tmp_path, gateway, allowed_regions=frozenset({"US"}), calls_per_hour=4, sip_hosts=SIP_HOSTS) as client:
        call = await answered(vapi, client)
        assert (await client.ask("POST", call + "/control", json=transfer))[0] == 202
        for destination in ("sip:+12125550100@gateway.example", "sip:desk@pbx.example"):
            by_sip = {"action": "transfer", "destination": destination}
            assert (await client.ask("POST", call + "/control", json=by_sip))[0] == 202
        for again in (transfer, by_sip):
            status, problem, answer = await client.ask("POST", call + "/control", json=again)
            assert (status, problem["code"]) == (429, "rate_limited")
            assert int(answer.headers["Retry-After"]) > 3500
        assert len(vapi.controls) == 3
        assert (await client.place(to="+14155552672"))[1]["code"] == "rate_limited"
        assert (await client.ask("POST", call + "/control", json={"action": "mute-assistant"}))[0] == 202
    assert vapi.dials == 1


@pytest.mark.slow
@pytest.mark.parametrize("destination", ["+12125550100", "sip:desk@pbx.example"])
async def test_nothing_is_transferred_while_dialling_is_stopped(vapi: StandIn, client: Client, destination: str) -> None:
    call = await answered(vapi, client)
    await client.ask("POST", "/api/dialling/stop")
    _, problem, _ = await client.ask("POST", call + "/control", json={"action": "transfer", "destination": destination})
    assert problem["code"] == "stopped"
    assert vapi.controls == []


@pytest.mark.slow
async def test_a_call_that_is_not_answered_or_over_can_t_be_controlled(vapi: StandIn, client: Client) -> None:
    _, call = await client.place(to=NUMBER)
    path = call["links"]["self"]
    assert (await client.ask("POST", path + "/control", json={"action": "mute-assistant"}))[1]["code"] == "call_not_running"
    await client.ask("POST", path + "/end")
    assert (await client.ask("POST", path + "/control", json={"action": "mute-assistant"}))[0] == 409


@pytest.mark.slow
async def test_nobody_has_vapi_asked_for_assistants_without_end(vapi: StandIn, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "PER_MINUTE", 2)
    call = await answered(vapi, client)
    asked = [await client.ask("POST", f"{call}/control", json={"action": "handoff", "assistantId": f"a-{n}"}) for n in range(4)]
    assert [answer[0] for answer in asked] == [422, 422, 429, 429]
    assert asked[-1][1]["code"] == "rate_limited"
