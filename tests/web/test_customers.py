"""Who is at the other end of a call, and why a queued call waits, over REST."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.vapi.gateway import Gateway
from tests.desk.test_desk import until
from tests.stand_in import StandIn
from tests.web.test_api import NUMBER, Client, client_of


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    monkeypatch.setattr("services.desk.calls.watcher.IDLE", 0.1)  # seconds until the desk reads again
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url)) as made:
        yield made


@pytest.mark.parametrize(
    ("more", "kind", "customer"),
    [
        ({}, "inbound", {"number": NUMBER, "sipUri": None, "extension": None, "name": None, "externalId": None}),
        (
            {"customer": {"number": NUMBER, "name": "Dana", "extension": "12", "externalId": "crm-7"}, "type": "outboundPhoneCall"},
            "outbound",
            {"number": NUMBER, "sipUri": None, "extension": "12", "name": "Dana", "externalId": "crm-7"},
        ),
        (
            {"customer": {"sipUri": "sip:dana@pbx.example", "name": "Dana"}},
            "inbound",
            {"number": None, "sipUri": "sip:dana@pbx.example", "extension": None, "name": "Dana", "externalId": None},
        ),
        ({"customer": None, "type": "webCall"}, "web", None),
        ({"customer": {}, "type": "vapi.websocketCall"}, "web", None),
    ],
)
async def test_who_is_on_the_line(vapi: StandIn, client: Client, more: dict[str, Any], kind: str, customer: dict[str, Any] | None) -> None:
    call_id = vapi.ring_in(NUMBER, **more)
    await until(client.desk, call_id, lambda _: True)
    _, call, _ = await client.ask("GET", f"/api/calls/{call_id}")
    assert (call["type"], call["customer"]) == (kind, customer)
    _, page, _ = await client.ask("GET", "/api/calls")
    assert page["calls"] == [{**call, "listenUrl": page["calls"][0]["listenUrl"]}]


async def test_a_call_is_found_by_the_customers_name(vapi: StandIn, client: Client) -> None:
    call_id = vapi.ring_in(NUMBER, customer={"sipUri": "sip:desk@pbx.example", "name": "Dana Ng"})
    await until(client.desk, call_id, lambda _: True)
    for words in ("dana ng", "pbx.example"):
        _, page, _ = await client.ask("GET", f"/api/calls?search={words}")
        assert [call["id"] for call in page["calls"]] == [call_id]


@pytest.mark.slow
async def test_a_call_that_vapi_holds_back_says_so_until_it_rings(vapi: StandIn, client: Client) -> None:
    call_id = vapi.ring_in(NUMBER, type="outboundPhoneCall", status="queued", startedAt=None)
    vapi.answer = (201, {**vapi.calls[call_id], "subscriptionLimits": {"concurrencyBlocked": True}})
    _, placed = await client.place(to=NUMBER)
    assert placed["id"] == call_id
    assert placed["status"] == "queued"
    assert placed["blocked"]["code"] == "vapi_concurrency"
    assert placed["blocked"]["title"]
    assert placed["blocked"]["nextStep"]
    vapi.move(call_id, "ringing")
    await until(client.desk, call_id, lambda call: call.status == "ringing")
    _, call, _ = await client.ask("GET", f"/api/calls/{call_id}")
    assert call["blocked"] is None
