"""What we send, what the demo line answers, and the samples, against JSON Schema: ours, and Vapi's where VAPI_OPENAPI names it."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType

from services.demo_line import DemoLine
from services.domain.call import CallOrder
from services.domain.control import Action, Control
from services.domain.voicemail import Voicemail
from services.vapi.control_messages import END_CALL, control_message
from services.vapi.gateway import Gateway
from tests.patience import HANG_S
from tests.vapi import samples
from tests.vapi.conftest import MakeGateway
from tests.vapi.schemas import (
    ASSISTANT,
    BATCH,
    CALL,
    CONTROL,
    CONTROLS,
    CREATE,
    ERROR,
    EVENT,
    NUMBERS_PAGE,
    PHONE_NUMBER,
    SQUAD,
    faults,
)
from tests.vapi.stand_in import StandIn, reply

NUMBER = "+14155552671"
MADE: tuple[tuple[str, dict[str, Any], str, dict[str, Any], dict[str, Any]], ...] = (
    ("/assistant", ASSISTANT, "Assistant", {"name": "Kim", "firstMessage": "Hello."}, {"name": "Kim B.", "maxDurationSeconds": 60}),
    ("/phone-number", PHONE_NUMBER, "VapiPhoneNumber", {"provider": "vapi", "name": "Side"}, {"name": "Back"}),
    (
        "/phone-number",
        PHONE_NUMBER,
        "TwilioPhoneNumber",
        {"provider": "twilio", "number": "+12025550191", "twilioAccountSid": "AC1"},
        {"name": "Third"},
    ),
    ("/phone-number", PHONE_NUMBER, "ByoPhoneNumber", {"provider": "byo-phone-number", "credentialId": "1"}, {"number": "+12025550192"}),
    ("/squad", SQUAD, "Squad", {"name": "Office"}, {"name": "Back office"}),
)
"""What can be made at the demo line: path, our schema and Vapi's, the first fields, and a change."""
ORDER = CallOrder(
    to=NUMBER,
    assistant_id="6d1f0000-0000-4000-8000-000000000001",
    phone_number_id="1c9e0000-0000-4000-8000-000000000002",
    tag=samples.TAG,
)
WHOLE_ORDER = CallOrder(
    to=NUMBER,
    assistant_id=ORDER.assistant_id,
    phone_number_id=ORDER.phone_number_id,
    tag=samples.TAG,
    name="Lead 42",
    first_message="Hello.",
    variable_values={"name": "Dana", "list": [1, None]},
    customer_name="Dana Ng",
    external_id="crm-7",
    voicemail=Voicemail.LEAVE_MESSAGE,
    voicemail_message="Please call back.",
    max_duration_seconds=600,
    earliest_at=datetime(2027, 1, 1, tzinfo=UTC),
)
CONTROLS_SENT = [
    *(Control(action=action, content="Hello.", destination=NUMBER, assistant_id=ORDER.assistant_id) for action in Action),
    Control(action=Action.TRANSFER, destination="sip:desk@pbx.example"),
    Control(action=Action.SAY, content="Bye.", end_call_after_spoken=True),
    Control(action=Action.SAY, content="Stop.", interrupt=True, interruptible=False),
    Control(action=Action.ADD_MESSAGE, content="The customer is Dana.", silent=True),
]


SQUAD_ORDER = replace(ORDER, assistant_id="", squad_id="9d1f0000-0000-4000-8000-000000000003", voicemail=Voicemail.CONTINUE)
INLINE_ORDER = replace(
    ORDER,
    assistant_id="",
    assistant={
        "name": "Ad hoc",
        "firstMessage": "Hello {{customer.name}}.",
        "model": {
            "provider": "openai",
            "model": "gpt-4o",
            "messages": [{"role": "system", "content": "Be brief."}],
            "tools": [{"type": "endCall"}],
        },
        "voice": {"provider": "vapi", "voiceId": "Elliot"},
    },
    voicemail=Voicemail.HANG_UP,
)
SIP_ORDER = replace(ORDER, to="sip:desk@pbx.example", sip_uri="sip:desk@pbx.example:5061;transport=tls", assistant_version="3")
ORDERS = {"least": ORDER, "most": WHOLE_ORDER, "squad": SQUAD_ORDER, "inline": INLINE_ORDER, "sip": SIP_ORDER}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
async def test_what_is_dialled(vapi: StandIn, make_gateway: MakeGateway, order: CallOrder) -> None:
    vapi.on("POST", "/call", reply(201, samples.QUEUED))
    await make_gateway().create_call(order)
    [request] = vapi.asked("POST", "/call")
    assert faults(request.json, CREATE, "CreateCallDTO") == []


@pytest.mark.parametrize("message", [END_CALL, *map(control_message, CONTROLS_SENT)], ids=lambda message: json.dumps(message)[:60])
def test_what_a_control_url_is_sent(message: dict[str, Any]) -> None:
    assert faults(dict(message), CONTROL, CONTROLS[message["type"]]) == []


@pytest.mark.parametrize("name", ["queued", "ringing", "in-progress", "inbound"])
def test_the_samples(name: str) -> None:
    body = json.loads(json.dumps(samples.CALLS[name]))
    body["customer"] = {key: value for key, value in body["customer"].items() if value is not None}
    assert faults(body, CALL, "Call") == []


@pytest.fixture
async def line() -> AsyncIterator[DemoLine]:
    async with DemoLine(ring_seconds=0.2) as line:
        yield line


@pytest.mark.slow
async def test_what_the_demo_line_answers(line: DemoLine) -> None:
    headers = {"Authorization": f"Bearer {line.api_key}"}
    seen: dict[str, Any] = {}
    async with ClientSession(line.base_url, headers=headers) as http, asyncio.timeout(HANG_S):

        async def ask(method: str, path: str, body: Any = None) -> Any:
            async with http.request(method, path, json=body) as answer:
                return await answer.json()

        order = {"assistantId": line.assistant_id, "phoneNumberId": line.phone_number_id, "customer": {"number": NUMBER}}
        call = await ask("POST", "/call", order)
        seen["created"] = call
        async with http.ws_connect(call["monitor"]["listenUrl"]) as socket:
            events = 0
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    event = json.loads(message.data)
                    if event.get("type") != "start":
                        assert faults(event, EVENT) == [], event
                        events += 1
                if events > 6:
                    break
        seen["running"] = await ask("GET", f"/call/{call['id']}")
        await ask("POST", call["monitor"]["controlUrl"].removeprefix(line.base_url), END_CALL)
        while (now := await ask("GET", f"/call/{call['id']}"))["status"] != "ended":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        seen["ended"] = now
        plan = {"earliestAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
        seen["scheduled"] = await ask("POST", "/call", order | {"schedulePlan": plan})
        for number, listed in enumerate(await ask("GET", "/call")):
            seen[f"listed {number}"] = listed
        squads = await ask("GET", "/squad")
        seen["squad"] = await ask(
            "POST", "/call", {**order, "assistantId": None, "squadId": line.squad_id, "squadOverrides": {"metadata": {}}}
        )
        assistants, numbers = await ask("GET", "/assistant"), await ask("GET", "/phone-number")
        refused = await ask("POST", "/call", order | {"unknown": 1})
    assert {body["status"] for body in seen.values()} >= {"queued", "in-progress", "ended", "scheduled"}
    for name, body in seen.items():
        assert faults(body, CALL, "Call") == [], name
    for assistant in assistants:
        assert faults(assistant, ASSISTANT, "Assistant") == []
    for squad in squads:
        assert faults(squad, SQUAD, "Squad") == []
    for number in numbers:
        assert faults(number, PHONE_NUMBER) == []
    assert faults(refused, ERROR) == []


async def test_what_the_demo_line_answers_about_its_account_and_for_a_batch(line: DemoLine) -> None:
    async with ClientSession(line.base_url, headers={"Authorization": f"Bearer {line.api_key}"}) as http, asyncio.timeout(HANG_S):

        async def ask(method: str, path: str, body: Any = None) -> Any:
            async with http.request(method, path, json=body) as answer:
                return await answer.json()

        for number in await ask("GET", "/phone-number"):
            theirs = {"twilio": "TwilioPhoneNumber", "vapi": "VapiPhoneNumber"}[number["provider"]]
            assert faults(await ask("GET", f"/phone-number/{number['id']}"), PHONE_NUMBER, theirs) == []
        assert faults(await ask("GET", "/v2/phone-number"), NUMBERS_PAGE, "PhoneNumberPaginatedResponse") == []
        for squad in await ask("GET", "/squad"):
            assert faults(await ask("GET", f"/squad/{squad['id']}"), SQUAD, "Squad") == []
        for path, schema, theirs, fields, change in MADE:
            made = await ask("POST", path, fields | ({"members": [{"assistantId": line.assistant_id}]} if path == "/squad" else {}))
            kept = {"members": made["members"]} if path == "/squad" else {}
            assert faults(made, schema, theirs) == []
            assert faults(changed := await ask("PATCH", f"{path}/{made['id']}", kept | change), schema, theirs) == []
            assert changed == made | change | {"updatedAt": changed["updatedAt"]}
            assert await ask("GET", f"{path}/{made['id']}") == (await ask("GET", path))[0] == changed
            assert await ask("DELETE", f"{path}/{made['id']}") == changed
            assert faults(await ask("GET", f"{path}/{made['id']}"), ERROR) == []
        order = {"squadId": line.squad_id, "phoneNumberId": line.phone_number_id}
        batch = await ask(
            "POST", "/call", order | {"customers": [{"number": NUMBER}, {"sipUri": "sip:desk@pbx.example"}, {"number": "123"}]}
        )
        assert faults(batch, BATCH, "CallBatchResponse") == []
        assert [len(batch[name]) for name in ("results", "errors")] == [2, 1]
        for call in batch["results"]:
            assert faults(await ask("PATCH", f"/call/{call['id']}", {"name": "Two"}), CALL, "Call") == []
            assert faults(await ask("DELETE", f"/call/{call['id']}"), CALL, "Call") == []


@pytest.mark.slow
@pytest.mark.parametrize("number", ["+12025550101", "+12025550103", NUMBER], ids=["busy", "voicemail", "transferred"])
async def test_what_the_demo_line_answers_of_an_ended_call(line: DemoLine, number: str) -> None:
    async with ClientSession(line.base_url, headers={"Authorization": f"Bearer {line.api_key}"}) as http, asyncio.timeout(HANG_S):
        order = {"assistantId": line.assistant_id, "phoneNumberId": line.phone_number_id, "customer": {"number": number}}
        async with http.post("/call", json=order) as answer:
            call = await answer.json()
        transfer = {"type": "transfer", "destination": {"type": "number", "number": "+14155550000"}, "content": "One moment."}
        async with http.ws_connect(call["monitor"]["listenUrl"]) as socket:
            async for message in socket:
                if message.type is WSMsgType.TEXT and (event := json.loads(message.data))["type"] != "start":
                    assert faults(event, EVENT) == [], event
                    if number == NUMBER and transfer and event.get("transcriptType") == "final":
                        await http.post(call["monitor"]["controlUrl"], json=transfer)
                        transfer = {}
        async with http.get(f"/call/{call['id']}") as answer:
            ended = await answer.json()
    assert ended["status"] == "ended"
    assert faults(ended, CALL, "Call") == []


async def test_the_gateway_reads_what_the_demo_line_answers(line: DemoLine) -> None:
    gateway = Gateway(api_key=line.api_key, base_url=line.base_url)
    call = await gateway.create_call(
        CallOrder(to=NUMBER, assistant_id=line.assistant_id, phone_number_id=line.phone_number_id, tag=samples.TAG)
    )
    assert (call.to, call.tag) == (NUMBER, samples.TAG)
    await gateway.aclose()


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"status": "busy"}, "status"),
        ({"cost": "1"}, "cost"),
        ({"createdAt": 7}, "createdAt"),
        ({"customer": None}, "customer"),
        ({"monitor": {"listenUrl": 1}}, "monitor/listenUrl"),
    ],
)
def test_a_wrong_body_is_found(change: dict[str, Any], where: str) -> None:
    assert where in {fault.partition(":")[0] for fault in faults(samples.QUEUED | change, CALL)}
    assert faults({**samples.QUEUED, "more": 1}, CREATE)
