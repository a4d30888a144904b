"""Who speaks in a call, to whom, and what happens at a voicemail: what a request says is what Vapi is asked for, or it is refused."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.vapi.gateway import Gateway
from tests.desks import ASSISTANT
from tests.stand_in import StandIn, stand_in
from tests.web.test_api import NUMBER, Client, client_of

SQUAD = "9d1f0000-0000-4000-8000-000000000003"
MODEL = {"provider": "openai", "model": "gpt-4o", "messages": [{"role": "system", "content": "Be brief."}]}
DENOISING = {"backgroundSpeechDenoisingPlan": {"fourierDenoisingPlan": {"enabled": True}}}
DETECT = {"provider": "vapi"}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def vapi() -> AsyncIterator[StandIn]:
    async with stand_in() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(vapi: StandIn, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    gateway = Gateway(api_key="private", base_url=vapi.url)
    folder: Path = tmp_path_factory.mktemp("speaks")
    async with client_of(folder, gateway, allowed_regions=frozenset({"US"}), sip_hosts=frozenset({"pbx.example"})) as made:
        yield made


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({}, {"assistantId": ASSISTANT, "customer": {"number": NUMBER}}),
        ({"assistantVersion": "3"}, {"assistantId": ASSISTANT, "assistantVersion": "3"}),
        ({"assistantId": "a", "assistantVersion": "3"}, {"assistantId": "a", "assistantVersion": "3"}),
        ({"squadId": SQUAD}, {"squadId": SQUAD}),
        ({"assistant": {"model": MODEL}}, {"assistant": {"model": MODEL}}),
        ({"assistant": {"model": MODEL, **DENOISING}}, {"assistant": {"model": MODEL, **DENOISING}}),
        (
            {"customer": {"name": "Dana Ng", "externalId": "crm-7"}},
            {"customer": {"number": NUMBER, "name": "Dana Ng", "externalId": "crm-7"}},
        ),
        ({"to": "sip:desk@PBX.example:5061;transport=tls"}, {"customer": {"sipUri": "sip:desk@pbx.example:5061;transport=tls"}}),
        ({"to": "sip:+1 415", "number": None, "assistantId": "a"}, None),
        ({"to": "sip:0014155552671@pbx.example"}, {"customer": {"sipUri": "sip:+14155552671@pbx.example"}}),
    ],
)
async def test_who_speaks_to_whom_is_what_vapi_is_asked_for(
    vapi: StandIn, client: Client, asked: dict[str, Any], sent: dict[str, Any] | None
) -> None:
    before = vapi.dials
    status, answer = await client.place(**{"to": NUMBER, **asked})
    if sent is None:
        assert (status, vapi.dials) == (422, before)
        return
    assert (status, vapi.dials) == (201, before + 1)
    body = vapi.bodies[-1]
    assert {name: body.get(name) for name in sent} == sent
    assert len({"assistantId", "assistant", "squadId"} & body.keys()) == 1
    overrides = body["squadOverrides" if "squadId" in sent else "assistantOverrides"]
    assert overrides["metadata"]["earshotTag"]
    assert overrides["maxDurationSeconds"] == 600
    assert len({"assistantOverrides", "squadOverrides"} & body.keys()) == 1
    assert (answer["assistantId"], answer["squadId"]) == (body.get("assistantId"), body.get("squadId"))
    customer = {"number": None, "sipUri": None, "extension": None, "name": None, "externalId": None, **body["customer"]}
    if "0014155552671" in asked.get("to", ""):
        customer["number"] = NUMBER  # the one that rings, whatever the way
    assert answer["customer"] == customer


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({"voicemail": "hang-up"}, {"voicemailDetection": DETECT, "voicemailMessage": ""}),
        (
            {"voicemail": "leave-message", "voicemailMessage": "Please call back."},
            {"voicemailDetection": DETECT, "voicemailMessage": "Please call back."},
        ),
        ({"voicemail": "continue"}, {"voicemailDetection": "off"}),
        ({}, {}),
    ],
)
@pytest.mark.parametrize("squad", [False, True])
async def test_what_happens_at_a_voicemail(vapi: StandIn, client: Client, asked: dict[str, Any], sent: dict[str, Any], squad: bool) -> None:
    assert (await client.place(to=NUMBER, **asked, **({"squadId": SQUAD} if squad else {})))[0] == 201
    overrides = vapi.bodies[-1]["squadOverrides" if squad else "assistantOverrides"]
    assert {name: value for name, value in overrides.items() if name.startswith("voicemail")} == sent


def inline(**more: Any) -> dict[str, Any]:
    return {"assistant": {"model": MODEL, **more}}


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"assistantId": "a", "squadId": SQUAD}, "squadId"),
        ({"assistantId": "a", **inline()}, "assistant"),
        ({"squadId": SQUAD, **inline()}, "squadId"),
        ({"squadId": SQUAD, "assistantVersion": "3"}, "assistantVersion"),
        ({"assistantVersion": "3", **inline()}, "assistantVersion"),
        ({"assistantVersion": 3}, "assistantVersion"),
        ({"squadId": SQUAD, "firstMessage": "Hello."}, "firstMessage"),
        ({"squadId": ["a"]}, "squadId"),
        ({"squadId": ""}, "squadId"),
        ({"assistant": "a"}, "assistant"),
        ({"assistant": {}}, "assistant.model"),
        ({"assistant": {"model": {"provider": "openai"}}}, "assistant.model"),
        ({"assistant": {"model": {"provider": "openai", "model": 7}}}, "assistant.model"),
        (inline(server={"url": "https://evil.example"}), "assistant.server"),
        (inline(hooks=[]), "assistant.hooks"),
        (inline(monitorPlan={"controlEnabled": False}), "assistant.monitorPlan"),
        (inline(maxDurationSeconds=43_200), "assistant.maxDurationSeconds"),
        (inline(credentialIds=["c"]), "assistant.credentialIds"),
        (inline(voice={"provider": "custom-voice", "server": {"url": "https://evil.example"}}), "assistant.voice.server"),
        (
            inline(transcriber={"fallbackPlan": {"transcribers": [{"server": {}}]}}),
            "assistant.transcriber.fallbackPlan.transcribers.server",
        ),
        (inline(transcriber={"provider": "assembly-ai", "realtimeUrl": "wss://evil.example"}), "assistant.transcriber.realtimeUrl"),
        (inline(voice={"provider": "tavus", "callbackUrl": "https://evil.example"}), "assistant.voice.callbackUrl"),
        (
            inline(voice={"fallbackPlan": {"voices": [{"properties": {"recordingS3BucketName": "evil"}}]}}),
            "assistant.voice.fallbackPlan.voices.properties.recordingS3BucketName",
        ),
        (inline(voice={"properties": {"awsAssumeRoleArn": "evil"}}), "assistant.voice.properties.awsAssumeRoleArn"),
        (inline(startSpeakingPlan={"smartEndpointingPlan": {"Server": {}}}), "assistant.startSpeakingPlan.smartEndpointingPlan.Server"),
        (inline(model=MODEL | {"messages": [{"role": "system", "toolCalls": []}]}), "assistant.model.messages.toolCalls"),
        (inline(model=MODEL | {"toolIds": ["t"]}), "assistant.model.toolIds"),
        (inline(model=MODEL | {"url": "https://evil.example"}), "assistant.model.url"),
        (inline(model=MODEL | {"tools": "all"}), "assistant.model.tools"),
        (inline(model=MODEL | {"tools": [{"type": "transferCall"}]}), "assistant.model.tools"),
        (inline(model=MODEL | {"tools": [{"type": "endCall", "server": {}}]}), "assistant.model.tools"),
        (inline(model=MODEL | {"tools": [[]]}), "assistant.model.tools"),
        ({"voicemail": "sing"}, "voicemail"),
        ({"voicemail": {"action": "hang-up"}}, "voicemail"),
        ({"voicemail": "leave-message"}, "voicemailMessage"),
        ({"voicemail": "leave-message", "voicemailMessage": "  "}, "voicemailMessage"),
        ({"voicemail": "leave-message", "voicemailMessage": "x" * 1001}, "voicemailMessage"),
        ({"voicemail": "hang-up", "voicemailMessage": "Bye."}, "voicemailMessage"),
        ({"voicemailMessage": "Bye."}, "voicemailMessage"),
        ({"customer": {"name": "x" * 41}}, "customer.name"),
        (inline(backgroundSound="https://evil.example/ticking.mp3"), "assistant.backgroundSound"),
        (inline(backgroundSound="data:audio/mp3;base64,AAAA"), "assistant.backgroundSound"),
        (inline(backgroundSound={"url": "https://evil.example"}), "assistant.backgroundSound"),
        (inline(backgroundSound=["office"]), "assistant.backgroundSound"),
        ({"customer": {"name": "Dana\x1b[2J"}}, "customer.name"),
        ({"customer": {"name": "Dana\u202eanaD"}}, "customer.name"),
        ({"customer": {"externalId": "crm\n7"}}, "customer.externalId"),
        ({"customer": {"externalId": "crm\u2028"}}, "customer.externalId"),
        ({"name": "Order\r7"}, "name"),
        ({"customer": {"number": "+19005551234"}}, "customer.number"),
        ({"customer": {"externalId": 7}}, "customer.externalId"),
        ({"customer": "Dana"}, "customer"),
        ({"variableValues": ["a"]}, "variableValues"),
        ({"variableValues": {"a": [float("nan")]}, "dryRun": True}, "variableValues"),
        (inline(model=MODEL | {"temperature": float("inf")}) | {"dryRun": True}, "assistant"),
        ({"to": "sip:desk@pbx.example?Route=x"}, "to"),
        ({"to": "sip:911@pbx.example"}, "to"),
        ({"to": "sip:+19005551234@pbx.example"}, "to"),
        ({"to": "sip:+15550100002@pbx.example", "confirmUnlikelyNumber": True}, "to"),
    ],
)
async def test_what_can_t_be_meant_is_refused_by_its_field(vapi: StandIn, client: Client, asked: dict[str, Any], field: str) -> None:
    before = vapi.dials
    status, problem = await client.place(**{"to": NUMBER, **asked})
    assert (status, problem["errors"][0]["field"]) == (422, field)
    assert vapi.dials == before


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("sip:desk@evil.example", "destination_not_allowed"),
        ("sip:+442079460958@pbx.example", "destination_not_allowed"),
    ],
)
async def test_a_sip_address_passes_the_guard(vapi: StandIn, client: Client, to: str, code: str) -> None:
    before = vapi.dials
    status, problem = await client.place(to=to)
    assert (status, problem["code"], vapi.dials) == (403, code, before)


async def test_a_sip_address_is_blocked_with_its_number_and_stopped_with_the_rest(vapi: StandIn, client: Client) -> None:
    before = vapi.dials
    await client.ask("POST", "/api/dialling/blocked", json={"rule": "+14155559999"})
    assert (await client.place(to="sip:+14155559999@pbx.example"))[1]["code"] == "number_blocked"
    await client.ask("POST", "/api/dialling/stop")
    assert (await client.place(to="sip:desk@pbx.example"))[1]["code"] == "stopped"
    await client.ask("POST", "/api/dialling/resume")
    assert vapi.dials == before


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ("sip:front@pbx.example", "sip:front@pbx.example:5061;transport=tls"),
        ("sip:+14155550123@pbx.example", "+1 415 555 0123"),
        ("+1 415 555 0124", "sip:+14155550124@pbx.example"),
    ],
)
async def test_one_phone_is_not_rung_twice_by_two_ways(vapi: StandIn, client: Client, first: str, again: str) -> None:
    assert (await client.ask("POST", "/api/vapi_call", json={"to": first}))[0] == 201
    dials = vapi.dials
    status, problem, _ = await client.ask("POST", "/api/vapi_call", json={"to": again})
    assert (status, problem["code"]) == (409, "duplicate_running_call")
    status, problem, _ = await client.ask(
        "POST", "/api/vapi_call", json={"to": again, "squadId": SQUAD}, headers={"Idempotency-Key": again}
    )
    assert (status, problem["code"], vapi.dials) == (409, "duplicate_running_call", dials)


async def test_another_speaker_under_the_same_key_is_another_request(vapi: StandIn, client: Client) -> None:
    headers = {"Idempotency-Key": "speaks"}
    body = {"to": NUMBER, "allowDuplicate": True}
    assert (await client.ask("POST", "/api/vapi_call", json=body, headers=headers))[0] == 201
    before = vapi.dials
    for change in ({"squadId": SQUAD}, {"voicemail": "hang-up"}, {"customer": {"name": "Dana"}}, inline()):
        status, problem, _ = await client.ask("POST", "/api/vapi_call", json=body | change, headers=headers)
        assert (status, problem["code"]) == (422, "idempotency_key_reused"), change
    assert vapi.dials == before


@pytest.mark.parametrize("asked", [{"squadId": SQUAD, "name": "Lead 42"}, {**inline(), "name": "Lead 42"}, {"to": "sip:lost@pbx.example"}])
async def test_a_lost_answer_is_found_whoever_speaks(vapi: StandIn, client: Client, asked: dict[str, Any]) -> None:
    vapi.answer = "created then drop"
    try:
        before = vapi.dials
        status, call = await client.place(**{"to": NUMBER, **asked})
    finally:
        vapi.answer = "created"
    assert (status, call["status"], vapi.dials) == (201, "queued", before + 1)


async def test_an_assistant_that_is_gone_places_nothing(vapi: StandIn, client: Client) -> None:
    said = "Couldn't Get Assistant. `assistantId` gone Does Not Exist."
    vapi.answer = (400, {"message": said, "error": "Bad Request", "statusCode": 400})
    try:
        status, problem = await client.place(to=NUMBER, assistantId="gone")
    finally:
        vapi.answer = "created"
    assert (status, problem["code"], problem["detail"]) == (502, "vapi_refused", said)


async def test_overrides_that_are_too_large_are_refused_unread(vapi: StandIn, client: Client) -> None:
    before = vapi.dials
    for asked in ({"variableValues": {"x": "y" * 17_000}}, inline(firstMessage="y" * 17_000)):
        status, problem = await client.place(to=NUMBER, **asked)
        assert (status, problem["code"]) == (413, "body_too_large"), asked.keys()
    assert vapi.dials == before


async def test_a_dry_run_says_who_would_speak(vapi: StandIn, client: Client) -> None:
    before = vapi.dials
    status, answer = await client.place(to="sip:desk@pbx.example", squadId=SQUAD, dryRun=True)
    assert (status, answer["to"], answer["assistantId"], answer["squadId"]) == (200, "sip:desk@pbx.example", None, SQUAD)
    assert vapi.dials == before
