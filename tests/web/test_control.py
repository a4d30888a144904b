"""Steering a running call over REST: which messages reach Vapi, and which are refused. All on one call: none of them changes its state."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.vapi.gateway import Gateway
from tests.desk.test_desk import until
from tests.stand_in import StandIn, stand_in
from tests.web.test_api import NUMBER, Client, client_of

SIP_HOSTS = frozenset({"pbx.example", "gateway.example", "[::1]"})
SAM = {"id": "6d1f0000-0000-4000-8000-000000000005", "name": "Sam"}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def vapi() -> AsyncIterator[StandIn]:
    async with stand_in() as server:
        server.account["assistant"] = [SAM]
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(vapi: StandIn, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    gateway = Gateway(api_key="private", base_url=vapi.url)
    folder = tmp_path_factory.mktemp("control")
    async with client_of(folder, gateway, allowed_regions=frozenset({"US"}), sip_hosts=SIP_HOSTS) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def call(vapi: StandIn, client: Client) -> str:
    return await answered(vapi, client)


async def answered(vapi: StandIn, client: Client) -> str:
    """The path of a call that somebody picked up."""
    _, call = await client.place(to=NUMBER)
    vapi.move(call["id"], "in-progress")
    client.desk.look(call["id"])
    await until(client.desk, call["id"], lambda call: call.answered)
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
        (
            {"action": "say", "content": "Stop.", "interruptAssistantEnabled": True, "interruptionsEnabled": False},
            {
                "type": "say",
                "content": "Stop.",
                "endCallAfterSpoken": False,
                "interruptAssistantEnabled": True,
                "interruptionsEnabled": False,
            },
        ),
        (
            {"action": "add-message", "content": "She is a doctor.", "triggerResponseEnabled": False},
            {"type": "add-message", "message": {"role": "system", "content": "She is a doctor."}, "triggerResponseEnabled": False},
        ),
        ({"action": "mute-customer"}, {"type": "control", "control": "mute-customer"}),
        ({"action": "unmute-customer"}, {"type": "control", "control": "unmute-customer"}),
        (
            {"action": "handoff", "assistantId": SAM["id"], "content": "Here is Sam."},
            {"type": "handoff", "destination": {"type": "assistant", "assistantId": SAM["id"]}, "content": "Here is Sam."},
        ),
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
async def test_what_is_asked_reaches_vapi(vapi: StandIn, client: Client, call: str, asked: dict[str, Any], sent: dict[str, Any]) -> None:
    before = len(vapi.controls)
    assert (await client.ask("POST", call + "/control", json=asked))[0] == 202
    assert vapi.controls[before:] == [sent]
    rows = await client.desk.journal.audit(call_id=call.rsplit("/", 1)[1])
    assert rows[0].action == asked["action"]


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"action": "say"}, 422, "invalid_request"),
        ({"action": "fly"}, 422, "invalid_request"),
        ({"action": "transfer"}, 422, "invalid_request"),
        ({"action": "handoff"}, 422, "invalid_request"),
        ({"action": "handoff", "assistantId": ""}, 422, "invalid_request"),
        ({"action": "handoff", "assistantId": ["a"]}, 422, "invalid_request"),
        ({"action": "handoff", "assistantId": "9d1f0000-0000-4000-8000-00000000000f"}, 422, "invalid_request"),
        ({"action": "handoff", "assistantId": ".."}, 422, "invalid_request"),
        ({"action": "say", "content": "Hi", "interruptAssistantEnabled": "yes"}, 422, "invalid_request"),
        ({"action": "say", "content": "Hi", "interruptionsEnabled": 1}, 422, "invalid_request"),
        ({"action": "add-message", "content": "Hi", "triggerResponseEnabled": None}, 422, "invalid_request"),
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
async def test_what_must_not_be_asked_reaches_nobody(
    vapi: StandIn, client: Client, call: str, asked: dict[str, Any], status: int, code: str
) -> None:
    before = len(vapi.controls)
    found, problem, _ = await client.ask("POST", call + "/control", json=asked)
    assert (found, problem["code"]) == (status, code)
    assert [error["field"] for error in problem.get("errors", [])] in (
        [],
        ["content"],
        ["action"],
        ["destination"],
        ["assistantId"],
        *([name] for name in asked),
    )
    assert len(vapi.controls) == before


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
    vapi: StandIn, client: Client, call: str, destination: str, sent: str
) -> None:
    before = len(vapi.controls)
    assert (await client.ask("POST", call + "/control", json={"action": "transfer", "destination": destination}))[0] == 202
    assert [control["destination"] for control in vapi.controls[before:]] == [{"type": "sip", "sipUri": sent}]
