"""What else Vapi's API has: changes, batches, squads, pages, recordings, and what it says of a call beside speech."""

import asyncio
import io
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from aiohttp import ClientSession

from services.demo_line import DemoLine
from services.demo_line import recording as recordings
from services.demo_line.numbers import EXAMPLE_NUMBER
from tests.demo_line.conftest import DEMO_CALL, VOICEMAIL, Body, Customer, Heard, answered, listen, source

SIP = {"sipUri": "sip:desk@pbx.example"}
EVENTS = [
    {"at": 0.1, "event": {"type": "workflow.node.started", "node": {"name": "Greet"}}},
    {"at": 0.2, "event": {"type": "tool-calls", "toolCallList": [{"id": "call_1", "type": "function", "function": {"name": "look"}}]}},
    {"at": 0.3, "event": {"type": "tool-calls-result", "toolCallResult": {"toolCallId": "call_1", "name": "look", "result": "{}"}}},
    {"at": 0.4, "event": {"type": "user-interrupted"}},
]


async def test_only_the_name_of_a_call_can_be_changed(customer: Customer) -> None:
    call = await customer.place(name="Before")
    status, changed = await customer.ask("PATCH", f"/call/{call['id']}", {"name": "After"})
    assert (status, changed["name"], (await customer.get(call))["name"]) == (200, "After", "After")
    for change in ({"status": "ended"}, {"name": "x" * 41}):
        assert (await customer.ask("PATCH", f"/call/{call['id']}", change))[0] == 400
    assert (await customer.get(call))["name"] == "After"


async def test_a_batch_calls_each_customer_that_can_be_called(customer: Customer) -> None:
    order = {name: value for name, value in customer.order().items() if name != "customer"}
    wrong = {"number": "12"}
    body = order | {"customers": [{"number": EXAMPLE_NUMBER}, wrong, SIP, {"number": "+14155552671"}]}
    status, batch = await customer.ask("POST", "/call", body)
    assert status == 201
    assert [call["customer"] for call in batch["results"]] == [{"number": EXAMPLE_NUMBER}, SIP, {"number": "+14155552671"}]
    assert "customers" not in batch["results"][0]
    assert [error["customer"] for error in batch["errors"]] == [wrong]
    assert "E.164" in batch["errors"][0]["error"]
    assert batch["subscriptionLimits"]["remainingConcurrentCalls"] == 7
    _, listed = await customer.ask("GET", "/call")
    assert {call["id"] for call in listed} == {call["id"] for call in batch["results"]}


async def test_a_sip_address_is_called(customer: Customer) -> None:
    call = await customer.place()
    order = customer.order() | {"customer": SIP}
    status, call = await customer.ask("POST", "/call", order)
    assert (status, call["customer"]) == (201, SIP)
    await customer.watch(call, "in-progress")
    for uri in ("desk@pbx.example", "sip:", "sip:desk", 3):
        assert (await customer.ask("POST", "/call", order | {"customer": {"sipUri": uri}}))[0] == 400


@pytest.mark.parametrize("path", ["/assistant", "/phone-number", "/squad"])
async def test_each_resource_is_listed_and_read(customer: Customer, path: str) -> None:
    _, listed = await customer.ask("GET", path)
    for body in listed:
        assert await customer.ask("GET", f"{path}/{body['id']}") == (200, body)
    assert (await customer.ask("GET", f"{path}/none"))[0] == 404
    customer.key = None
    assert (await customer.ask("GET", f"{path}/{listed[0]['id']}"))[0] == 401


async def test_a_squad_speaks_with_all_its_members(customer: Customer) -> None:
    order = {name: value for name, value in customer.order().items() if name != "assistantId"}
    assert (await customer.ask("POST", "/call", order | {"squadId": str(customer.line.assistant_id)}))[0] == 400
    status, call = await customer.ask("POST", "/call", order | {"squadId": customer.line.squad_id})
    assert (status, call["squadId"]) == (201, customer.line.squad_id)
    await customer.watch(call, "in-progress")
    await customer.control(call, type="end-call")
    activated = (await customer.get(call))["artifact"]["assistantActivations"]
    assert [one["assistantName"] for one in activated] == ["Riley", "Sam, feedback"]


async def test_phone_numbers_come_in_pages(customer: Customer) -> None:
    status, first = await customer.ask("GET", "/v2/phone-number", limit="1")
    _, second = await customer.ask("GET", "/v2/phone-number", limit="1", page="2")
    assert status == 200
    assert [first["results"][0]["name"], second["results"][0]["name"]] == ["Main line", "Front desk"]
    expected = {"itemsPerPage": 1, "totalItems": 2, "currentPage": 1, "totalPages": 2, "hasNextPage": True}
    assert first["metadata"] == expected
    assert second["metadata"] == expected | {"currentPage": 2, "hasNextPage": False}
    assert (await customer.ask("GET", "/v2/phone-number", limit="9" * 5000, page="0"))[1]["metadata"]["itemsPerPage"] == 100
    assert [one["name"] for one in (await customer.ask("GET", "/v2/phone-number", search="front"))[1]["results"]] == ["Front desk"]


@pytest.mark.slow
async def test_a_machine_greets(customer: Customer) -> None:
    heard = Heard()
    call = await customer.place(VOICEMAIL)
    await listen(call, heard)
    greeting = source(DEMO_CALL.with_name("voicemail.flac"))
    assert len(heard.sound) > 3 * 64_000
    assert greeting.startswith(bytes(heard.sound))
    ears = np.frombuffer(bytes(heard.sound), "<i2").reshape(-1, 2)
    assert ears[:, 0].any()
    assert not ears[:, 1].any()
    assert heard.transcript == [("user", "Hi, you've reached Dana.")]


@pytest.mark.slow
async def test_an_instruction_is_for_the_assistant_s_ears_alone(customer: Customer) -> None:
    heard = Heard()
    call, listening = await answered(customer, heard)
    await customer.control(call, type="add-message", message={"role": "system", "content": "Mention the zebra."})
    await heard.wait_until(lambda heard: ("assistant", "Of course.") in heard.transcript)
    await customer.control(call, type="end-call")
    await listening
    assert "zebra" not in json.dumps(heard.texts)
    assert "zebra" not in json.dumps((await customer.get(call))["artifact"])


@pytest.fixture
def eventful(short_call: Path) -> Path:
    """A short call in which more happens than speech."""
    notes = short_call.with_suffix(".json")
    notes.write_text(json.dumps(json.loads(notes.read_text()) | {"events": EVENTS}))
    return short_call


@pytest.mark.slow
async def test_tools_nodes_and_interruptions_are_told_and_kept(eventful: Path) -> None:
    async with DemoLine(ring_seconds=0.05, conversation=eventful) as line, ClientSession() as http:
        customer, heard = Customer(line, http), Heard()
        call = await customer.place()
        await listen(call, heard)
        ended = await customer.get(call)
    kinds = [text["type"] for text in heard.texts if text["type"] not in ("start", "speech-update", "transcript")]
    assert kinds == ["workflow.node.started", "tool-calls", "tool-calls-result", "user-interrupted"]
    artifact = ended["artifact"]
    assert [message["role"] for message in artifact["messages"]] == ["bot", "tool_calls", "user", "tool_call_result"]
    asked, result = artifact["messages"][1], artifact["messages"][3]
    assert (asked["toolCalls"], asked["secondsFromStart"]) == ([{"id": "call_1", "type": "function", "function": {"name": "look"}}], 0.2)
    assert (result["toolCallId"], result["name"], result["result"]) == ("call_1", "look", "{}")
    assert artifact["performanceMetrics"]["numAssistantInterrupted"] == 1
    assert [card["name"] for card in artifact["scorecards"].values()] == ["Service"]
    assert [result["filterPassed"] for result in ended["monitor"]["monitors"]] == [True]
    assert ended["monitor"]["listenUrl"]
    (output,) = artifact["structuredOutputs"].values()
    assert (
        output["result"] == ended["analysis"]["structuredData"] == {"moved": True, "day": "Thursday", "time": "14:15", "office": "downtown"}
    )


async def ended_after(customer: Customer, seconds: float) -> Body:
    heard = Heard()
    call, listening = await answered(customer, heard)
    await heard.wait_until(lambda heard: len(heard.sound) > seconds * 64_000)
    await customer.control(call, type="end-call")
    await listening
    return call


async def fetched(customer: Customer, address: str) -> tuple[int, bytes]:
    async with customer.http.get(address) as answer:
        return answer.status, await answer.read()


@pytest.mark.slow
async def test_the_recording_is_behind_the_key_and_an_address_that_expires(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    call = await ended_after(customer, 1.0)
    key = {"Authorization": f"Bearer {customer.key}"}
    path = f"{customer.line.base_url}/call/{call['id']}"
    async with customer.http.get(f"{path}/stereo-recording", headers=key, allow_redirects=False) as answer:
        status, address = answer.status, answer.headers["Location"]
    assert status == 302
    status, wav = await fetched(customer, address)
    samples, rate = soundfile.read(io.BytesIO(wav), dtype="int16")
    assert (status, rate, samples.shape[1]) == (200, 16_000, 2)
    assert 1.0 <= len(samples) / rate < 5
    assert source().startswith(samples.astype("<i2").tobytes())
    assert (await fetched(customer, f"{path}/stereo-recording"))[0] == 401
    for odd in ("expires=%C2%B2", f"expires={'9' * 5000}", "expires=1&signature=%C3%A9", ""):
        assert (await fetched(customer, f"{address.partition('?')[0]}?{odd}"))[0] == 403
    assert (await fetched(customer, address.replace("stereo", "mono")))[0] == 403
    async with customer.http.get(f"{path}/mono-recording", headers=key) as answer:
        mono, _ = soundfile.read(io.BytesIO(await answer.read()), dtype="int16")
    assert mono.shape == (len(samples),)
    artifact = (await customer.get(call))["artifact"]
    assert datetime.fromisoformat(artifact["presignedUrlsExpiresAt"]) > datetime.now(UTC)
    assert await fetched(customer, artifact["presignedStereoUrl"]) == (200, wav)
    later = time.time() + 2 * recordings.VALID_S + 1
    monkeypatch.setattr("services.demo_line.recording.time.time", lambda: later)
    assert (await fetched(customer, address))[0] == 403


@pytest.mark.parametrize("kind", ["stereo", "mono", "customer", "video"])
async def test_a_call_without_sound_has_no_recording(customer: Customer, kind: str) -> None:
    call = await customer.place()
    assert (await customer.ask("GET", f"/call/{call['id']}/{kind}-recording"))[0] == 404
    await customer.control(call, type="end-call")
    assert (await customer.ask("GET", f"/call/{call['id']}/{kind}-recording"))[0] == 404
    assert "presignedStereoUrl" not in (await customer.get(call))["artifact"]


@pytest.mark.slow
async def test_the_latencies_of_turns_add_up(customer: Customer) -> None:
    call = await ended_after(customer, 10.0)
    metrics: dict[str, Any] = (await customer.get(call))["artifact"]["performanceMetrics"]
    assert [turn["turnLatency"] for turn in metrics["turnLatencies"]] == [pytest.approx(500, abs=1)]
    parts = ("modelLatency", "voiceLatency", "transcriberLatency", "endpointingLatency")
    assert sum(metrics["turnLatencies"][0][part] for part in parts) == pytest.approx(500, abs=1)
    assert metrics["turnLatencyAverage"] == pytest.approx(500, abs=1)


@pytest.mark.slow
async def test_many_batches_and_their_ends_leave_every_line_free(customer: Customer) -> None:
    order = {name: value for name, value in customer.order().items() if name != "customer"}
    body = order | {"customers": [{"number": EXAMPLE_NUMBER}] * 25}
    _, batch = await customer.ask("POST", "/call", body)
    assert batch["subscriptionLimits"]["concurrencyBlocked"]
    await asyncio.gather(*(customer.control(call, type="end-call") for call in batch["results"]))
    assert (await customer.place())["subscriptionLimits"] == {
        "concurrencyBlocked": False,
        "concurrencyLimit": 10,
        "remainingConcurrentCalls": 9,
    }
