"""Steering a running call over REST."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.vapi.gateway import Gateway
from tests.stand_in import StandIn
from tests.web.test_api import NUMBER, Client, client_of

SIP_HOSTS = frozenset({"pbx.example", "gateway.example", "[::1]"})


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path) -> AsyncIterator[Client]:
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with client_of(tmp_path, gateway, allowed_regions=frozenset({"US"}), sip_hosts=SIP_HOSTS) as made:
        yield made


async def answered(vapi: StandIn, client: Client) -> str:
    """The path of a call that somebody picked up."""
    _, call = await client.place(to=NUMBER)
    vapi.move(call["id"], "in-progress")
    while (await client.ask("GET", call["links"]["self"]))[1]["status"] != "in-progress":
        client.desk.look(call["id"])
    return str(call["links"]["self"])


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({"action": "say", "content": "Hello"}, {"type": "say", "content": "Hello", "endCallAfterSpoken": False}),
        (
            {"action": "say", "content": "Bye", "endCallAfterSpoken": True},
            {"type": "say", "content": "Bye", "endCallAfterSpoken": True},
        ),
        (
            {"action": "add-message", "content": "Offer 10 %"},
            {"type": "add-message", "message": {"role": "system", "content": "Offer 10 %"}, "triggerResponseEnabled": True},
        ),
        ({"action": "mute-assistant"}, {"type": "control", "control": "mute-assistant"}),
        ({"action": "unmute-assistant"}, {"type": "control", "control": "unmute-assistant"}),
        ({"action": "say-first-message"}, {"type": "control", "control": "say-first-message"}),
        (
            {"action": "transfer", "destination": "+1 (212) 555-0100", "content": "Connecting you."},
            {"type": "transfer", "destination": {"type": "number", "number": "+12125550100"}, "content": "Connecting you."},
        ),
        (
            {"action": "transfer", "destination": "sip:desk@pbx.example"},
            {"type": "transfer", "destination": {"type": "sip", "sipUri": "sip:desk@pbx.example"}},
        ),
    ],
)
async def test_what_is_asked_reaches_vapi(vapi: StandIn, client: Client, asked: dict[str, Any], sent: dict[str, Any]) -> None:
    call = await answered(vapi, client)
    assert (await client.ask("POST", call + "/control", json=asked))[0] == 202
    assert vapi.controls == [sent]
    rows = await client.desk.journal.audit(call_id=call.rsplit("/", 1)[1])
    assert rows[0].action == asked["action"]


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"action": "say"}, 422, "invalid_request"),
        ({"action": "fly"}, 422, "invalid_request"),
        ({"action": "transfer"}, 422, "invalid_request"),
        ({"action": "transfer", "destination": "911"}, 422, "emergency_number"),
        ({"action": "transfer", "destination": "+1 900 555 1234"}, 422, "premium_rate_number"),
        ({"action": "transfer", "destination": "+44 20 7946 0958"}, 403, "destination_not_allowed"),
        ({"action": "transfer", "destination": "+1 212 555 0100 ext 5"}, 422, "number_has_extension"),
        ({"action": "transfer", "destination": "+12125550100;ext=5"}, 422, "number_has_extension"),
        ({"action": "transfer", "destination": "tel:+442079460958"}, 403, "destination_not_allowed"),
        ({"action": "transfer", "destination": "TEL:+442079460958"}, 403, "destination_not_allowed"),
        ({"action": "transfer", "destination": "sms:+442079460958"}, 422, "number_has_letters"),
        ({"action": "transfer", "destination": " sip:desk@pbx.example"}, 422, "invalid_number"),
        ({"action": "transfer", "destination": "SIP:+19005551234@gateway.example"}, 422, "number_has_letters"),
        ({"action": "transfer", "destination": "sips:+19005551234@gateway.example"}, 422, "number_has_letters"),
        ({"action": "transfer", "destination": "sip:+19005551234@gateway.example"}, 422, "premium_rate_number"),
        ({"action": "transfer", "destination": "sip:+1-900-555-1234@gateway.example:5060"}, 422, "premium_rate_number"),
        ({"action": "transfer", "destination": "sip:00442079460958@gateway.example"}, 403, "destination_not_allowed"),
        ({"action": "transfer", "destination": "sip:011442079460958@gateway.example"}, 403, "destination_not_allowed"),
        ({"action": "transfer", "destination": "sip:442079460958@gateway.example"}, 422, "invalid_number"),
        ({"action": "transfer", "destination": "sip:%2B442079460958@gateway.example"}, 422, "invalid_request"),
        ({"action": "transfer", "destination": "sip:desk@pbx.example;user=phone"}, 422, "invalid_request"),
        ({"action": "transfer", "destination": "sip:desk@pbx.example?Route=sip:+442079460958@gateway.example"}, 422, "invalid_request"),
        ({"action": "transfer", "destination": "sip:+442079460958"}, 422, "invalid_request"),
        ({"action": "transfer", "destination": "sip:desk@pbx.example\r\nRoute: x"}, 422, "invalid_request"),
        ({"action": "transfer", "destination": "sip:desk:secret@pbx.example"}, 422, "invalid_request"),
        ({"action": "transfer", "destination": "sip:911@pbx.example"}, 422, "emergency_number"),
        ({"action": "transfer", "destination": "sip:9-1-1@pbx.example"}, 422, "emergency_number"),
        ({"action": "transfer", "destination": "sip:++19005551234@gateway.example"}, 422, "invalid_number"),
        ({"action": "transfer", "destination": "sip:9+19005551234@gateway.example"}, 422, "invalid_number"),
        ({"action": "transfer", "destination": "sip:011+19005551234@gateway.example"}, 422, "invalid_number"),
        ({"action": "transfer", "destination": "sip:01119005551234@gateway.example"}, 422, "premium_rate_number"),
        ({"action": "transfer", "destination": "sip:desk@evil.example"}, 403, "destination_not_allowed"),
        ({"action": "transfer", "destination": "+15550100002"}, 422, "number_unlikely"),
        ({"action": "transfer", "destination": "+4990012345675"}, 422, "premium_rate_number"),
    ],
)
async def test_what_must_not_be_asked_reaches_nobody(vapi: StandIn, client: Client, asked: dict[str, Any], status: int, code: str) -> None:
    call = await answered(vapi, client)
    found, problem, _ = await client.ask("POST", call + "/control", json=asked)
    assert (found, problem["code"]) == (status, code)
    assert [error["field"] for error in problem.get("errors", [])] in ([], ["content"], ["action"], ["destination"])
    assert vapi.controls == []


@pytest.mark.parametrize(
    ("destination", "sent"),
    [
        ("sip:+1-212-555-0100@gateway.example", "sip:+12125550100@gateway.example"),
        ("sip:+12125550100@gateway.example", "sip:+12125550100@gateway.example"),
        ("sip:1001@pbx.example", "sip:1001@pbx.example"),
        ("sip:desk@[::1]:5060;transport=tls", "sip:desk@[::1]:5060;transport=tls"),
    ],
)
async def test_by_sip_a_number_that_may_be_called_and_a_place_without_one_are_reached(
    vapi: StandIn, client: Client, destination: str, sent: str
) -> None:
    call = await answered(vapi, client)
    assert (await client.ask("POST", call + "/control", json={"action": "transfer", "destination": destination}))[0] == 202
    assert vapi.controls[0]["destination"] == {"type": "sip", "sipUri": sent}


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


async def test_what_vapi_did_not_take_stands_in_the_audit_too(vapi: StandIn, client: Client) -> None:
    call = await answered(vapi, client)
    vapi.control_status = 500
    assert (await client.ask("POST", call + "/control", json={"action": "transfer", "destination": "+12125550100"}))[0] == 502
    (row, *_) = await client.desk.journal.audit(call_id=call.rsplit("/", 1)[1])
    assert (row.who, row.action, row.outcome) == ("local", "transfer", "vapi_unavailable")


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


@pytest.mark.parametrize("destination", ["+12125550100", "sip:desk@pbx.example"])
async def test_nothing_is_transferred_while_dialling_is_stopped(vapi: StandIn, client: Client, destination: str) -> None:
    call = await answered(vapi, client)
    await client.ask("POST", "/api/dialling/stop")
    _, problem, _ = await client.ask("POST", call + "/control", json={"action": "transfer", "destination": destination})
    assert problem["code"] == "stopped"
    assert vapi.controls == []


async def test_a_call_that_is_not_answered_or_over_can_t_be_controlled(vapi: StandIn, client: Client) -> None:
    _, call = await client.place(to=NUMBER)
    path = call["links"]["self"]
    assert (await client.ask("POST", path + "/control", json={"action": "mute-assistant"}))[1]["code"] == "call_not_running"
    await client.ask("POST", path + "/end")
    assert (await client.ask("POST", path + "/control", json={"action": "mute-assistant"}))[0] == 409
