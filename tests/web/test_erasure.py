"""Deleting a call's data over REST: what is gone, what an outage leaves, and who may."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.domain.speech import Utterance
from services.vapi.gateway import Gateway
from tests.desk.test_desk import until
from tests.stand_in import StandIn
from tests.web.test_api import NUMBER, Client, client_of


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    monkeypatch.setattr("services.desk.erasing.erasures._AGAIN_S", 0.05)
    monkeypatch.setattr("services.desk.erasing.erasures._PATIENCE_S", 0.5)
    monkeypatch.setattr("services.desk.calls.watcher.CALM", 0.2)
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url)) as made:
        yield made


async def ended(vapi: StandIn, client: Client) -> str:
    _, call = await client.place(to=NUMBER, name="Dana")
    vapi.move(call["id"], "in-progress", startedAt="2026-09-01T10:00:00.000Z")
    await until(client.desk, call["id"], lambda call: call.answered)
    client.desk.transcripts.take(call["id"], Utterance(speaker="customer", text="Fridays only", final=True))
    artifact = {"recordingUrl": "https://storage.vapi.ai/one.wav", "logUrl": "https://storage.vapi.ai/one.jsonl"}
    vapi.move(call["id"], "ended", endedAt="2026-09-01T10:01:00.000Z", endedReason="customer-ended-call", cost=0.07, artifact=artifact)
    await until(client.desk, call["id"], lambda call: call.logged)
    return str(call["id"])


async def events(client: Client, call_id: str) -> str:
    async with client.session.get(f"{client.url}/api/calls/{call_id}/events", headers={"Last-Event-ID": "0"}) as answer:
        return await answer.text()


@pytest.mark.slow
async def test_nothing_of_it_is_answered_any_more(vapi: StandIn, client: Client) -> None:
    call_id = await ended(vapi, client)
    assert "Fridays" in await events(client, call_id)
    status, answer, _ = await client.ask("DELETE", f"/api/calls/{call_id}/data")
    assert status == 200
    assert answer["erasure"]["by"] == "local"
    assert answer["erasure"]["askedAt"] <= answer["erasure"]["confirmedAt"]
    assert (answer["status"], answer["to"], answer["cost"], answer["customer"]) == ("ended", None, 0.07, None)
    assert (answer["endedReason"]["code"], answer["recordingUrl"], answer["summary"]) == ("customer-ended-call", None, None)
    assert (await client.ask("GET", f"/api/calls/{call_id}"))[1] == answer
    assert (await client.ask("DELETE", f"/api/calls/{call_id}/data"))[:2] == (200, answer)
    assert (await client.ask("GET", f"/api/calls/{call_id}/transcript"))[1] == {"lines": []}
    for path in ("recording", "vapi-recording", "vapi-recording/peaks", "call-logs", "pcap"):
        found, problem, _ = await client.ask("GET", f"/api/calls/{call_id}/{path}")
        assert (found, problem["code"]) == (404, "recording_not_found"), path
    told = await events(client, call_id)
    assert "erasure" in told
    for secret in ("Fridays", "Dana", NUMBER):
        assert secret not in told
    for search in ("Fridays", "Dana"):
        assert (await client.ask("GET", f"/api/calls?search={search}"))[1]["calls"] == []


@pytest.mark.slow
async def test_an_outage_is_answered_with_202_until_vapi_confirms(vapi: StandIn, client: Client) -> None:
    call_id = await ended(vapi, client)
    vapi.down = True
    status, answer, _ = await client.ask("DELETE", f"/api/calls/{call_id}/data")
    assert (status, answer["erasure"]["confirmedAt"], answer["to"]) == (202, None, None)
    for path in ("vapi-recording", "call-logs"):
        assert (await client.ask("GET", f"/api/calls/{call_id}/{path}"))[1]["code"] == "recording_not_found"
    vapi.down = False
    await until(client.desk, call_id, lambda call: bool(call.erasure and call.erasure.confirmed_at))
    assert (await client.ask("DELETE", f"/api/calls/{call_id}/data"))[0] == 200


@pytest.mark.slow
async def test_a_running_call_is_refused(vapi: StandIn, client: Client) -> None:
    _, call = await client.place(to=NUMBER)
    status, problem, _ = await client.ask("DELETE", f"/api/calls/{call['id']}/data")
    assert (status, problem["code"], problem["retryable"]) == (409, "call_running", False)
    assert vapi.requests["DELETE /call/{id}"] == 0
    assert (await client.ask("DELETE", "/api/calls/none/data"))[1]["code"] == "call_not_found"
